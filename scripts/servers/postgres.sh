# shellcheck shell=bash
# PostgreSQL: a throw-away cluster. It refuses to run as root, so as root it runs as the package's own user.

postgres_port() { echo "$DEV_POSTGRES_PORT"; }
postgres_up() { listening "$DEV_POSTGRES_PORT"; }
postgres_pid() { owned_pid "$(readlink -f "$DEV_SERVICES_DIR/postgres")/data/postmaster.pid"; }

# prints the folder of the newest installed version's programs
postgres_programs() {
  local newest
  newest=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
  # dirname of nothing is "." and no error
  if [ -z "$newest" ]; then newest=$(command -v initdb) && newest=$(dirname "$newest") || return 1; fi
  echo "$newest"
}

postgres_run() {
  local program=$1
  shift
  if [ "$(id -u)" = 0 ]; then
    (cd / && runuser -u postgres -- "$(postgres_programs)/$program" "$@") 9>&-
  else
    "$(postgres_programs)/$program" "$@" 9>&-
  fi
}

postgres_sql() { psql -h 127.0.0.1 -p "$DEV_POSTGRES_PORT" -U postgres -Atqc "$1"; }

postgres_start() {
  local folder
  if ! postgres_programs >/dev/null; then packages postgresql || return 1; fi
  folder=$(reachable_folder postgres postgres) || because "its data folder is out of reach" || return 1
  if [ ! -f "$folder/data/PG_VERSION" ]; then
    postgres_run initdb -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-instructions \
      >"$folder/initdb.log" 2>&1 || because "initdb failed, see $folder/initdb.log" || return 1
  fi
  postgres_run pg_ctl -D "$folder/data" -w -t 60 -l "$folder/data/server.log" -o \
    "-c listen_addresses=127.0.0.1 -c port=$DEV_POSTGRES_PORT -c unix_socket_directories='' -c max_connections=200" \
    start >"$folder/pg_ctl.log" 2>&1 </dev/null ||
    because "it did not start, see $folder/data/server.log" || return 1
  [ "$(postgres_sql "select 1 from pg_database where datname = 'intake'")" = 1 ] ||
    postgres_sql "create database intake"
}

postgres_end() { postgres_run pg_ctl -D "$(readlink -f "$DEV_SERVICES_DIR/postgres")/data" -m "$1" -w stop >/dev/null; }
postgres_stop() { ! postgres_pid >/dev/null || postgres_end fast; }
# "immediate" is a crash: no checkpoint, recovery at the next start
postgres_kill() { ! postgres_pid >/dev/null || postgres_end immediate; }
postgres_env() { emit DEV_POSTGRES_URL "postgresql://postgres@127.0.0.1:$DEV_POSTGRES_PORT/intake"; }
