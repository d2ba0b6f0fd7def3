#!/bin/sh
# Makes the broker's password file, and in it the gateway's user, and the simulator's where it has a password.
# Further users stay as they are; a device's: docs/operating.md, "Compose".
set -eu
umask 077
file=/mosquitto/data/passwords
[ -e "$file" ] || : >"$file"
mosquitto_passwd -b "$file" gateway "${GATEWAY_PASSWORD:?}"
[ -z "${SIMULATOR_PASSWORD:-}" ] || mosquitto_passwd -b "$file" simulator "$SIMULATOR_PASSWORD"
