# Speaking, waiting, and running things so that they end when we do. Sourced by ./dev.
# shellcheck shell=bash

# Progress goes to stderr: stdout carries only what a caller may want to read, such as URLs.
note() { printf '%s\n' "$*" >&2; }

die() {
  note "dev: $*"
  exit 1
}

# wait_until SECONDS WHAT LOG COMMAND...: polls until the command succeeds; on failure shows the log's last lines.
wait_until() {
  local deadline=$((SECONDS + $1)) what=$2 log=$3
  shift 3
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      note "dev: $what within the time allowed. The last lines of $log:"
      tail -n 20 "$log" >&2 || true
      return 1
    fi
    sleep 0.1
  done
}

# The command line of a process, empty when there is none. A minimal Debian has no ps, macOS has no /proc.
command_line() {
  if [ -d /proc/self ]; then
    tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" || true
  else
    ps -o args= -p "$1" 2>/dev/null || true
  fi
}

# is_ours PID MARK: the process lives and its command line carries our mark. Process ids are used again, after a
# restart of the machine for one, and a server we did not start must never get our signals.
is_ours() {
  [ -n "$1" ] && case "$(command_line "$1")" in *"$2"*) true ;; *) false ;; esac
}

# spawn NAME LOG COMMAND...: starts a server in a process group of its own, so that a Ctrl-C meant for us does not
# reach it, and writes down its process id. A signal between the two is held back: the server would be forgotten.
spawn() {
  local name=$1 log=$2
  shift 2
  held=1
  set -m
  "$@" </dev/null >>"$log" 2>&1 7>&- 8>&- 9>&- &
  set +m
  printf '%s\n' "$!" >"$state/$name.pid"
  held=
  [ -z "$pending" ] || exit "$pending"
}

pid_of() { cat "$state/$1.pid" 2>/dev/null || true; }

group_is_gone() { ! kill -0 -- "-$1" 2>/dev/null; }

# reap NAME MARK SIGNAL SECONDS: asks a spawned server to end, waits for it, then ends what is left of its group.
# It is asked every second: a runtime that is still starting loses a signal that comes before its handlers.
reap() {
  local pid deadline=$((SECONDS + $4)) asked=-1
  pid=$(pid_of "$1")
  while is_ours "$pid" "$2" && [ "$SECONDS" -lt "$deadline" ]; do
    if [ "$SECONDS" -ne "$asked" ]; then
      kill -s "$3" -- "-$pid" 2>/dev/null || true
      asked=$SECONDS
    fi
    sleep 0.1
  done
  if is_ours "$pid" "$2"; then end_group "$pid"; fi
  rm -f "$state/$1.pid"
}

# Ends a process group: a request, five seconds, then by force.
end_group() {
  kill -s TERM -- "-$1" 2>/dev/null || return 0
  local deadline=$((SECONDS + 5))
  until group_is_gone "$1"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      kill -s KILL -- "-$1" 2>/dev/null || true
      break
    fi
    sleep 0.1
  done
}

# run COMMAND...: runs a step as a job of its own and waits for it. Bash acts on a signal only between commands, or
# at once while it waits for a job; so this is what lets a SIGTERM stop a long build right away. What the step leaves
# running ends with it, unless leaves is set.
run() {
  local status=0
  set -m
  "$@" </dev/null 7>&- 8>&- 9>&- &
  job=$!
  set +m
  wait "$job" || status=$?
  if [ "$status" -ne 0 ] || [ -z "$leaves" ]; then end_group "$job"; fi
  job=
  return "$status"
}

# A signal ends the script through its exit trap, unless a server is just being written down.
signalled() {
  if [ -n "$held" ]; then pending=$1; else exit "$1"; fi
}

# ports_free FIRST COUNT: nobody listens on these ports of the loopback address.
ports_free() {
  local port
  for ((port = $1; port < $1 + $2; port++)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 1; fi
  done
}
