# shellcheck shell=bash
# The mail sink: scripts/smtp_sink.py keeps every mail it is given as files.

smtp_port() { echo "$DEV_SMTP_PORT"; }
smtp_up() { listening "$DEV_SMTP_PORT"; }
smtp_pid() { owned_pid "$DEV_SERVICES_DIR/smtp/pid"; }
smtp_settled() { smtp_up || ! smtp_pid >/dev/null; }

smtp_start() {
  local folder=$DEV_SERVICES_DIR/smtp python=$ROOT/.venv/bin/python
  "$python" -c 'import aiosmtpd' 2>/dev/null || because "needs aiosmtpd in .venv (make install)" || return 1
  mkdir -p "$folder"
  launch "$folder/pid" "$folder/sink.log" \
    "$python" "$SCRIPTS/smtp_sink.py" --port "$DEV_SMTP_PORT" --folder "$folder/mail"
  wait_until 20 smtp_settled || true
  smtp_up || because "it did not start, see $folder/sink.log"
}

smtp_stop() { end_group "$DEV_SERVICES_DIR/smtp/pid" TERM 10; }
smtp_kill() { end_group "$DEV_SERVICES_DIR/smtp/pid" KILL 5; }

smtp_env() {
  emit DEV_SMTP_HOST 127.0.0.1
  emit DEV_SMTP_PORT "$DEV_SMTP_PORT"
  ! smtp_pid >/dev/null || emit DEV_SMTP_DIR "$DEV_SERVICES_DIR/smtp/mail"
}
