# What ./dev demo prepares before docker/demo/play.sh takes over, and what ./dev down ends after it. Sourced by ./dev.
# shellcheck shell=bash

# A database and a vhost of its own for every run, so that runs do not mix. On servers that are not ours nothing is
# dropped; there the prefix keeps the demo's queues apart.
prepare_demo() {
  if own_postgres; then
    sql 'drop database if exists demo with (force)' >/dev/null
    sql 'create database demo' >/dev/null
    DATABASE_URL=$(our_database_url demo)
  fi
  if own_rabbitmq; then
    rabbitmq_control delete_vhost demo >/dev/null 2>&1 || true
    rabbitmq_control add_vhost demo
    rabbitmq_control set_permissions -p demo switchboard '.*' '.*' '.*'
    AMQP_URL=$(our_amqp_url demo)
  else
    export SWITCHBOARD_PREFIX=${SWITCHBOARD_PREFIX:-demo}
  fi
  export DATABASE_URL AMQP_URL
}

# The play gets: DATABASE_URL, AMQP_URL, SWITCHBOARD_BIN, KEEP (0 or 1), and DEMO_PIDS, a file. With KEEP=1 it writes
# there the process ids, one a line, of what it leaves running, for ./dev down to end.
play() {
  local play=$root/docker/demo/play.sh
  [ -f "$play" ] || die "docker/demo/play.sh is missing from this checkout."
  SWITCHBOARD_BIN=${CARGO_TARGET_DIR:-$root/target}/debug/switchboard
  [ -x "$SWITCHBOARD_BIN" ] || die "the build left no program at $SWITCHBOARD_BIN."
  DEMO_PIDS=$state/demo.pids
  : >"$DEMO_PIDS"
  export SWITCHBOARD_BIN DEMO_PIDS KEEP=$1
  if [ "$1" -eq 1 ]; then leaves=1; fi
  run bash "$play"
  leaves=
}

# Ends the workers a kept demo left running.
stop_demo() {
  local pid
  [ -f "$state/demo.pids" ] || return 0
  while read -r pid; do
    if ! is_ours "$pid" switchboard; then continue; fi
    kill -s TERM "$pid" 2>/dev/null || true
    # Longer than a worker's own grace period of 25 s.
    local deadline=$((SECONDS + 30))
    while is_ours "$pid" switchboard && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
    if is_ours "$pid" switchboard; then kill -s KILL "$pid" 2>/dev/null || true; fi
  done <"$state/demo.pids"
  rm -f "$state/demo.pids"
}
