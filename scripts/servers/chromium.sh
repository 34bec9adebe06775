# shellcheck shell=bash
# Chromium for the browser tests: a program, not a server; up means installed.

chromium_program() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
chromium_port() { chromium_program || echo "not installed"; }
chromium_up() { chromium_program >/dev/null; }
chromium_pid() { return 1; }
chromium_start() { packages chromium fonts-dejavu-core fonts-liberation; }
chromium_stop() { :; }
chromium_kill() { :; }
chromium_env() { emit DEV_CHROMIUM "$(chromium_program)"; }
