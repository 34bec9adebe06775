# shellcheck shell=bash
# Where a server that is not there comes from: Docker Compose, Debian packages, Maven Central.

docker_ready() {
  [ "${DEV_NO_DOCKER:-}" != 1 ] || return 1
  timeout 10 docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1
}

# compose ARGUMENTS...: one project per data folder, so that a second set is a second set
compose() {
  docker compose --project-name "intake-dev-$(cksum <<<"$DEV_SERVICES_DIR" | cut -d' ' -f1)" \
    --file "$SCRIPTS/servers/compose.yml" "$@" >>"$DEV_SERVICES_DIR/install.log" 2>&1 9>&-
}

in_compose() { [ -e "$DEV_SERVICES_DIR/$1.in-compose" ]; }

# packages PACKAGE...: installs Debian packages where we may; sets reason where not
packages() {
  if ! command -v apt-get >/dev/null; then because "needs $* (no apt-get here)"; return 1; fi
  if [ "$(id -u)" != 0 ]; then because "needs $* (as root: apt-get install $*)"; return 1; fi
  echo "installing $* ..." >&2
  apt_install "$@" || { apt_get update && apt_install "$@"; } ||
    because "apt-get could not install $*, see $DEV_SERVICES_DIR/install.log" || return 1
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@" \
    >>"$DEV_SERVICES_DIR/install.log" 2>&1 </dev/null 9>&-
}

# Debian starts what it installs; a policy of "no" for the time of the installation keeps ports and memory ours.
apt_install() {
  local policy=/usr/sbin/policy-rc.d made="" result=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=1
  fi
  apt_get install --no-install-recommends "$@" || result=$?
  [ -z "$made" ] || rm -f "$policy"
  return "$result"
}
