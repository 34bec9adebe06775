# shellcheck shell=bash
# Dovecot: IMAP, IMAPS (self-signed) and LMTP. Every user name exists ("intake", "second", ...), password "secret".

dovecot_port() { echo "$DEV_DOVECOT_IMAP_PORT"; }
dovecot_up() {
  listening "$DEV_DOVECOT_IMAP_PORT" && listening "$DEV_DOVECOT_IMAPS_PORT" && listening "$DEV_LMTP_PORT"
}
dovecot_folder() { readlink -f "$DEV_SERVICES_DIR/dovecot"; }
dovecot_pid() { owned_pid "$(dovecot_folder)/pid"; }

# as root mail belongs to nobody (Dovecot refuses to deliver as root), else to us
dovecot_mail_user() { if [ "$(id -u)" = 0 ]; then echo nobody; else id -un; fi; }

dovecot_install() {
  if [ ! -x /usr/sbin/dovecot ] || [ ! -x /usr/lib/dovecot/lmtp ] || ! command -v openssl >/dev/null; then
    packages dovecot-imapd dovecot-lmtpd openssl || return 1
  fi
  case $(/usr/sbin/dovecot --version) in
    2.3.*) ;;
    *) because "its version is not 2.3 (the configuration of 2.4 is another language)"; return 1 ;;
  esac
}

dovecot_certificate() {
  [ ! -f "$1/cert.pem" ] || return 0
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
  chmod 644 "$1/cert.pem"
}

dovecot_configure() {
  local folder=$1 mail_user login_user internal_user
  mail_user=$(dovecot_mail_user)
  login_user=$mail_user internal_user=$mail_user
  if [ "$(id -u)" = 0 ]; then login_user=dovenull internal_user=dovecot; fi
  mkdir -p "$folder"/{run,state,mail}
  [ "$(id -u)" != 0 ] || chown -R "$mail_user" "$folder/mail"
  sed -e "s#@DIR@#$folder#g" -e "s#@UID@#$(id -u "$mail_user")#g" -e "s#@GID@#$(id -g "$mail_user")#g" \
    -e "s#@LOGIN_USER@#$login_user#g" -e "s#@INTERNAL_USER@#$internal_user#g" \
    -e "s#@INTERNAL_GROUP@#$(id -gn "$internal_user")#g" -e "s#@LMTP_PROCESS_USER@#$(id -un)#g" \
    -e "s#@IMAP_PORT@#$DEV_DOVECOT_IMAP_PORT#g" -e "s#@IMAPS_PORT@#$DEV_DOVECOT_IMAPS_PORT#g" \
    -e "s#@LMTP_PORT@#$DEV_LMTP_PORT#g" "$SCRIPTS/servers/dovecot.conf.in" >"$folder/dovecot.conf"
}

dovecot_settled() { dovecot_up || ! dovecot_pid >/dev/null; }

dovecot_start() {
  local folder
  dovecot_install || return 1
  folder=$(reachable_folder dovecot "$(dovecot_mail_user)") || because "its data folder is out of reach" || return 1
  dovecot_certificate "$folder" || because "openssl made no certificate" || return 1
  dovecot_configure "$folder"
  # after a kill it may name a process that ended but still counts as running
  rm -f "$folder/run/master.pid"
  launch "$folder/pid" "$folder/start.log" /usr/sbin/dovecot -F -c "$folder/dovecot.conf"
  wait_until 20 dovecot_settled || true
  dovecot_up || because "it did not start, see $folder/start.log and $folder/dovecot.log"
}

dovecot_stop() { end_group "$(dovecot_folder)/pid" TERM 10; }
dovecot_kill() { end_group "$(dovecot_folder)/pid" KILL 5; }

dovecot_env() {
  emit DEV_DOVECOT_HOST 127.0.0.1
  emit DEV_DOVECOT_IMAP_PORT "$DEV_DOVECOT_IMAP_PORT"
  emit DEV_DOVECOT_IMAPS_PORT "$DEV_DOVECOT_IMAPS_PORT"
  emit DEV_LMTP_PORT "$DEV_LMTP_PORT"
  dovecot_pid >/dev/null || return 0
  emit DEV_DOVECOT_CERT "$(dovecot_folder)/cert.pem"
  emit DEV_DOVEADM_CONFIG "$(dovecot_folder)/dovecot.conf"
}
