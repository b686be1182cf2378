# A private RabbitMQ with its own Erlang port mapper: found, started and stopped. Sourced by ./dev.
# shellcheck shell=bash

readonly rabbit_image=rabbitmq:3.13

# Finds the server's own script. Debian's /usr/sbin/rabbitmq-server is a wrapper that insists on the system's user
# and directories, so it comes last and only where it is not that wrapper.
find_rabbitmq() {
  local dir
  rabbit_bin=
  for dir in /usr/lib/rabbitmq/bin /opt/homebrew/opt/rabbitmq/sbin /usr/local/opt/rabbitmq/sbin \
    /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin "$(dirname "$(command -v rabbitmq-server || echo /none/none)")"; do
    [ -x "$dir/rabbitmq-server" ] && [ -x "$dir/rabbitmqctl" ] || continue
    ! grep -q 'su rabbitmq' "$dir/rabbitmq-server" || continue
    rabbitmq_is_new_enough "$dir" || continue
    rabbit_bin=$dir
    return 0
  done
  return 1
}

# 3.10 or newer, told by the name of the server's own plugin, which costs nothing. Unknown layouts are let through.
rabbitmq_is_new_enough() {
  local plugin version
  for plugin in "$(dirname "$(readlink -f "$1/rabbitmq-server")")"/../plugins/rabbit-[0-9]*; do
    version=${plugin##*/rabbit-}
    case "$version" in
      [0-2].* | 3.[0-9].*) return 1 ;;
    esac
  done
}

# Becomes a RabbitMQ program that knows nothing but our private node: own name, cookie (in HOME), directories, ports.
with_rabbitmq() {
  local home=$state/rabbitmq
  cd "$home"
  exec env -i PATH="$rabbit_bin:$PATH" HOME="$home" LC_ALL=C.UTF-8 ERL_CRASH_DUMP="$logs/erl_crash.dump" \
    ERL_EPMD_PORT="$epmd_port" ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_NODENAME="sw-$mark@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_DIST_PORT="$dist_port" \
    RABBITMQ_CONF_ENV_FILE="$home/env.conf" RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins" RABBITMQ_MNESIA_BASE="$home/mnesia" \
    RABBITMQ_LOG_BASE="$logs" RABBITMQ_PID_FILE="$home/beam.pid" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
    "$@"
}

rabbitmq_settings() {
  cat <<SETTINGS
listeners.tcp.1 = 127.0.0.1:$amqp_port
default_user = switchboard
default_pass = $password
SETTINGS
}

# An argument nobody reads: it makes the process ours to recognise.
rabbitmq_mark() { echo "-switchboard_dev $mark"; }
epmd_mark() { echo "epmd -port $epmd_port"; }

rabbitmq_runs() {
  if [ -f "$state/rabbitmq.container" ]; then
    container_runs rabbitmq
  else
    is_ours "$(pid_of rabbitmq)" "$(rabbitmq_mark)"
  fi
}

# Starts the server; rabbitmq_ready then waits for it. The port mapper comes first: without one of ours, Erlang
# would start one that outlives the server.
start_rabbitmq() {
  if [ "$1" = docker ]; then
    run_container rabbitmq "$amqp_port:5672" -e RABBITMQ_DEFAULT_USER=switchboard \
      -e RABBITMQ_DEFAULT_PASS="$password" "$rabbit_image"
    return
  fi
  stop_rabbitmq # a crash may have left the port mapper behind
  mkdir -p "$state/rabbitmq"
  : >"$state/rabbitmq/env.conf"
  printf '[].\n' >"$state/rabbitmq/enabled_plugins"
  rabbitmq_settings >"$state/rabbitmq/rabbitmq.conf"
  # shellcheck disable=SC2046  # the marks are words
  spawn epmd "$logs/rabbitmq.log" with_rabbitmq $(epmd_mark) -address 127.0.0.1
  # shellcheck disable=SC2046
  spawn rabbitmq "$logs/rabbitmq.log" with_rabbitmq "$rabbit_bin/rabbitmq-server" $(rabbitmq_mark)
}

# The server speaks AMQP: it answers the protocol header with a frame of type 1 (Connection.Start). An open port
# alone would not do: Docker accepts connections before the server does.
rabbitmq_answers() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$amqp_port" || exit 1
    printf 'AMQP\0\0\11\1' >&3
    IFS= read -r -t 2 -n 1 -u 3 kind
    [ "$kind" = $'\1' ]
  ) 2>/dev/null
}

rabbitmq_ready() {
  local log=$logs/rabbitmq.log
  if [ -f "$state/rabbitmq.container" ]; then log=$logs/docker.log; fi
  wait_until 90 "RabbitMQ did not answer" "$log" rabbitmq_answers
}

# rabbitmq_control COMMAND...: rabbitmqctl on our node.
rabbitmq_control() {
  if [ -f "$state/rabbitmq.container" ]; then
    docker exec "$(container rabbitmq)" rabbitmqctl -q "$@"
  else
    (with_rabbitmq "$rabbit_bin/rabbitmqctl" -q "$@")
  fi
}

# The script in front of the server turns SIGTERM into an orderly stop.
stop_rabbitmq() {
  stop_container rabbitmq
  reap rabbitmq "$(rabbitmq_mark)" TERM 40
  reap epmd "$(epmd_mark)" TERM 5
}
