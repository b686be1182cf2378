# The way without installed servers: one Docker container each, gone when it is stopped. Sourced by ./dev.
# shellcheck shell=bash

docker_works() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

# The name carries the checkout's mark, so that two clones do not meet.
container() { echo "switchboard-$mark-$1"; }

container_runs() { [ "$(docker inspect -f '{{.State.Running}}' "$(container "$1")" 2>/dev/null)" = true ]; }

# run_container NAME HOSTPORT:PORT ARGUMENTS...: published on the loopback address only.
run_container() {
  local name=$1 ports=$2
  shift 2
  note "starting $name in Docker (the first time it is downloaded) …"
  # Written first: a container that is interrupted while it starts must be found again.
  : >"$state/$name.container"
  docker rm -f -v "$(container "$name")" >/dev/null 2>&1 || true
  run docker run -d --name "$(container "$name")" -p "127.0.0.1:$ports" "$@" >>"$logs/docker.log" 2>&1 || {
    tail -n 20 "$logs/docker.log" >&2
    die "Docker could not start $name; the lines above say why."
  }
}

stop_container() {
  [ -f "$state/$1.container" ] || return 0
  docker rm -f -v "$(container "$1")" >/dev/null 2>&1 || true
  rm -f "$state/$1.container"
}
