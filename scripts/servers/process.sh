# shellcheck shell=bash
# Processes of our own: started away from the terminal, known by a pid file, ended only if they are still ours.

# listening PORT: does anything answer there on loopback?
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_until SECONDS COMMAND...: true as soon as COMMAND is, false when the time is up
wait_until() {
  local tries=$(($1 * 5))
  shift
  while ! "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.2
  done
}

# owned_pid FILE: prints the process id in FILE if that process lives and its command line names our data folder
# (a number alone may have been handed to a stranger since)
owned_pid() {
  local pid
  pid=$(head -n 1 "$1" 2>/dev/null) && [ -n "$pid" ] || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$(dirname "$1")" || return 1
  echo "$pid"
}

# group_gone GROUP: no thread of the group runs any more. Not `kill -0`: it counts processes that ended but were not
# collected yet (a container's init may be slow, or missing), and a killed JVM's main thread ends before the others.
group_gone() {
  { cat /proc/[0-9]*/task/*/stat 2>/dev/null || true; } |
    awk -v group="$1" '{ sub(/.*\) /, "") } $3 == group && $1 !~ /[ZX]/ { found = 1 } END { exit found }'
}

# launch PID_FILE LOG COMMAND...: its own session, no terminal, not holding our lock (descriptor 9)
launch() {
  local pid_file=$1 log=$2
  shift 2
  setsid "$@" >"$log" 2>&1 </dev/null 9>&- &
  echo $! >"$pid_file"
  # until it has become the command its command line is still ours, and it would be taken for gone
  wait_until 10 launched "$!" "$pid_file"
}

launched() { [ ! -e "/proc/$1" ] || owned_pid "$2" >/dev/null; }

# end_group PID_FILE SIGNAL SECONDS: signals the process and its children; SIGKILL when the time is up
end_group() {
  local pid
  pid=$(owned_pid "$1") || return 0
  kill "-$2" -- "-$pid"
  wait_until "$3" group_gone "$pid" || kill -KILL -- "-$pid" || true
  wait_until 5 group_gone "$pid"
}

# reachable_folder NAME USER: prints where $DEV_SERVICES_DIR/NAME really is, made if missing and owned by USER. Where
# USER may not enter a folder above it (a clone in somebody's home), it becomes a link to a folder in /var/tmp.
reachable_folder() {
  local folder=$DEV_SERVICES_DIR/$1 user=$2
  [ -e "$folder" ] || rm -f "$folder"
  mkdir -p "$folder"
  if [ "$(id -u)" = 0 ]; then
    if ! (cd / && runuser -u "$user" -- test -x "$(dirname "$(readlink -f "$folder")")"); then
      rmdir "$folder" && ln -s "$(mktemp -d /var/tmp/intake-dev-"$1".XXXXXX)" "$folder" || return 1
    fi
    chmod 755 "$(readlink -f "$folder")"
    chown "$user" "$(readlink -f "$folder")"
  fi
  readlink -f "$folder"
}
