# The stack: PostgreSQL and RabbitMQ together, their ports, their URLs. Sourced by ./dev.
# shellcheck shell=bash

# Ports and the password are chosen once per checkout, so that a URL stays good across down and up.
load_stack() {
  port_base=
  password=
  # shellcheck disable=SC1091  # written below
  if [ -f "$state/stack" ]; then . "$state/stack"; fi
  postgres_port=$port_base amqp_port=$((port_base + 1)) dist_port=$((port_base + 2)) epmd_port=$((port_base + 3))
}

# Four ports in a row below the range the system gives to outgoing connections.
choose_ports() {
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    port_base=$((20000 + RANDOM % 3000 * 4))
    if ports_free "$port_base" 4; then return 0; fi
  done
  die "no four free ports in a row found between 20000 and 32000."
}

# Keeps what was chosen before unless somebody else has taken a port while the stack was down.
prepare_stack() {
  mkdir -p "$logs"
  load_stack
  if postgres_runs || rabbitmq_runs; then return 0; fi
  # Servers that crashed leave the port mapper, and the wish to stay up.
  stack_down
  if [ -z "$port_base" ] || ! ports_free "$port_base" 4; then choose_ports; fi
  [ -n "$password" ] || password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf 'port_base=%s\npassword=%s\n' "$port_base" "$password" >"$state/stack")
  load_stack
}

our_database_url() { echo "postgres://switchboard:$password@127.0.0.1:$postgres_port/${1:-switchboard}"; }
our_amqp_url() { echo "amqp://switchboard:$password@127.0.0.1:$amqp_port/${1:-%2f}"; }

# A URL given by the caller stands for a server we then leave alone. One that shell-env printed is our own.
own_postgres() { [ -z "$given_database_url" ] || [ "$given_database_url" = "$(our_database_url)" ]; }
own_rabbitmq() { [ -z "$given_amqp_url" ] || [ "$given_amqp_url" = "$(our_amqp_url)" ]; }

database_url() { if own_postgres; then our_database_url; else echo "$given_database_url"; fi; }
amqp_url() { if own_rabbitmq; then our_amqp_url; else echo "$given_amqp_url"; fi; }

stack_runs() {
  load_stack
  if own_postgres && ! postgres_runs; then return 1; fi
  if own_rabbitmq && ! rabbitmq_runs; then return 1; fi
}

# Decides for each server how it is run (native or docker), installing what is missing where that is possible.
choose_means() {
  local missing=() lacking=()
  postgres_means=native rabbitmq_means=native
  if own_postgres && [ -f "$(postgres_home)/data/PG_VERSION" ] && ! find_postgres; then
    die "the data in .dev is of PostgreSQL $(cat "$(postgres_home)/data/PG_VERSION"), which is gone; ./dev clean removes it."
  fi
  if own_postgres && ! find_postgres; then missing+=(postgresql) lacking+=("PostgreSQL 15 or newer"); fi
  if own_rabbitmq && ! find_rabbitmq; then missing+=(rabbitmq-server) lacking+=("RabbitMQ 3.10 or newer"); fi
  [ "${#missing[@]}" -gt 0 ] || return 0
  if can_install; then install_packages "${missing[@]}"; fi
  if own_postgres && ! find_postgres; then postgres_means=docker; fi
  if own_rabbitmq && ! find_rabbitmq; then rabbitmq_means=docker; fi
  if [ "$postgres_means$rabbitmq_means" = nativenative ] || docker_works; then return 0; fi
  die "missing: $(printf '%s; ' "${lacking[@]}")and Docker does not run. Do one of these, then run this again:
  - install it: apt-get install ${missing[*]} (Debian, Ubuntu, as root), brew install postgresql@16 rabbitmq (macOS)
  - start Docker
  - set DATABASE_URL and AMQP_URL to servers that may be used"
}

# Starts what does not run yet (and sets started), then waits until both servers answer.
stack_up() {
  prepare_stack
  if stack_runs; then
    if own_postgres; then find_postgres || true; fi
    if own_rabbitmq; then find_rabbitmq || true; fi
  else
    choose_means
    started=1
    # RabbitMQ takes longest, so it starts first and PostgreSQL beside it.
    if own_rabbitmq && ! rabbitmq_runs; then start_rabbitmq "$rabbitmq_means"; fi
    if own_postgres && ! postgres_runs; then start_postgres "$postgres_means"; fi
  fi
  if own_postgres; then postgres_ready || die "the stack did not come up."; fi
  if own_rabbitmq; then rabbitmq_ready || die "the stack did not come up."; fi
}

# Stops what we started, whatever the URLs of the moment say.
stack_down() {
  load_stack
  stop_demo
  stop_rabbitmq
  stop_postgres
  rm -f "$state/keep"
}

print_urls() { printf 'DATABASE_URL=%s\nAMQP_URL=%s\n' "$(database_url)" "$(amqp_url)"; }
