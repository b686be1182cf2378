# A private PostgreSQL: found, created once, started and stopped. Sourced by ./dev.
# shellcheck shell=bash

readonly pg_oldest=15
readonly pg_image=postgres:16

# Finds the newest installed PostgreSQL that is new enough, or the one the data directory was made by.
find_postgres() {
  pg_bin=
  local dir version best=0 wanted=
  wanted=$(cat "$(postgres_home)/data/PG_VERSION" 2>/dev/null || true)
  for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
    /usr/local/opt/postgresql@*/bin "$(dirname "$(command -v postgres || echo /none/postgres)")"; do
    [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ] && [ -x "$dir/psql" ] || continue
    version=$("$dir/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    [ "$version" -ge "$pg_oldest" ] || continue
    if [ "$version" = "$wanted" ] || { [ -z "$wanted" ] && [ "$version" -gt "$best" ]; }; then
      best=$version
      pg_bin=$dir
    fi
  done
  [ -n "$pg_bin" ]
}

# PostgreSQL refuses to run as root: root runs it as the user the package made, everyone else as themselves.
postgres_user() {
  if [ "$(id -u)" -ne 0 ]; then id -un; elif id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Becomes a command run as that user, from a directory it can enter, without the caller's PG* settings.
as_postgres() {
  cd /
  if [ "$(id -u)" -ne 0 ]; then exec env -i PATH="$PATH" LC_ALL=C "$@"; fi
  exec setpriv --reuid "$(postgres_user)" --regid "$(id -gn "$(postgres_user)")" --init-groups \
    env -i PATH="$PATH" LC_ALL=C "$@"
}

# Where its files are: in .dev, or in the place noted there when its user cannot come in (a checkout under /root).
postgres_home() { cat "$state/postgres.elsewhere" 2>/dev/null || echo "$state/postgres"; }

# Makes the directory for its files, owned by its user.
make_postgres_home() {
  local home=$state/postgres
  [ ! -d "$(postgres_home)/data" ] || return 0
  mkdir -p "$home"
  if [ "$(id -u)" -eq 0 ]; then
    chown "$(postgres_user)" "$home"
    if ! (as_postgres test -w "$home"); then
      rmdir "$home"
      home=$(mktemp -d "/var/tmp/switchboard-dev-$mark.XXXXXX")
      chown "$(postgres_user)" "$home"
      printf '%s\n' "$home" >"$state/postgres.elsewhere"
    fi
  fi
  chmod 700 "$home"
}

# Creates the data directory; made under another name first, so that an interrupted initdb leaves nothing half made.
create_cluster() {
  local home locale=C
  home=$(postgres_home)
  [ ! -d "$home/data" ] || return 0
  note "creating a PostgreSQL data directory in $home …"
  # Production clusters know letters beyond ASCII; only a system without C.UTF-8 (macOS) falls back to plain C.
  if locale -a 2>/dev/null | grep -qi '^C\.utf-\{0,1\}8$'; then locale=C.UTF-8; fi
  (as_postgres rm -rf "$home/new")
  write_as_postgres "$home/password" <<<"$password"
  # The password crosses the loopback in the clear: SCRAM would cost every test connection thousands of hashes.
  (as_postgres "$pg_bin/initdb" -D "$home/new" -U switchboard --pwfile="$home/password" \
    --auth=password --encoding=UTF8 --locale="$locale") >"$logs/initdb.log" 2>&1 || {
    tail -n 20 "$logs/initdb.log" >&2
    die "initdb failed; the lines above say why."
  }
  (as_postgres rm "$home/password")
  printf "include 'switchboard.conf'\n" | write_as_postgres "$home/new/postgresql.conf" append
  (as_postgres mv "$home/new" "$home/data")
}

# write_as_postgres FILE [append]: stdin into a file, as the server's user.
write_as_postgres() {
  # shellcheck disable=SC2016  # the inner shell expands $1
  if [ "${2:-}" = append ]; then
    (as_postgres sh -c 'umask 077; cat >>"$1"' sh "$1")
  else
    (as_postgres sh -c 'umask 077; cat >"$1"' sh "$1")
  fi
}

# Durability stays as in production (fsync on): the demo and the benchmark must not flatter.
postgres_settings() {
  cat <<SETTINGS
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = ''
max_connections = 300
SETTINGS
}

postgres_mark() { echo "$(postgres_home)/data"; }

postgres_runs() {
  if [ -f "$state/postgres.container" ]; then
    container_runs postgres
  else
    is_ours "$(pid_of postgres)" "$(postgres_mark)"
  fi
}

# Starts the server; postgres_ready then waits for it.
start_postgres() {
  if [ "$1" = docker ]; then
    run_container postgres "$postgres_port:5432" -e POSTGRES_USER=switchboard -e POSTGRES_DB=switchboard \
      -e POSTGRES_PASSWORD="$password" "$pg_image" -c max_connections=300
    return
  fi
  make_postgres_home
  create_cluster
  postgres_settings | write_as_postgres "$(postgres_home)/data/switchboard.conf"
  spawn postgres "$logs/postgres.log" as_postgres "$pg_bin/postgres" -D "$(postgres_mark)"
}

# sql STATEMENT [DATABASE]: one statement as superuser, values only.
sql() {
  if [ -f "$state/postgres.container" ]; then
    docker exec "$(container postgres)" psql -XqtA -h 127.0.0.1 -U switchboard -d "${2:-postgres}" -c "$1"
  else
    env -i PATH="$PATH" PGPASSWORD="$password" PGCONNECT_TIMEOUT=5 PGOPTIONS="-c client_min_messages=warning" \
      "$pg_bin/psql" -XqtA -h 127.0.0.1 -p "$postgres_port" -U switchboard -d "${2:-postgres}" -c "$1"
  fi
}

postgres_answers() { sql 'select 1' >/dev/null 2>&1; }

# Waits until it answers, and sees to the database its URL names.
postgres_ready() {
  local log=$logs/postgres.log
  if [ -f "$state/postgres.container" ]; then log=$logs/docker.log; fi
  wait_until 60 "PostgreSQL did not answer" "$log" postgres_answers || return 1
  if [ -z "$(sql "select 1 from pg_database where datname = 'switchboard'")" ]; then
    sql 'create database switchboard' >/dev/null
  fi
}

# SIGINT is PostgreSQL's fast shutdown: sessions end, data is flushed.
stop_postgres() {
  stop_container postgres
  reap postgres "$(postgres_mark)" INT 30
}

# Removes its files, wherever they are.
remove_postgres() {
  if [ -f "$state/postgres.elsewhere" ]; then rm -rf "$(postgres_home)"; fi
}
