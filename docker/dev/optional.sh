# Checks with tools that this project does not need otherwise: made where the tool is, and named in the closing totals
# where it is not. They never fail a run for want of a tool or a network. Sourced by ./dev.
# shellcheck shell=bash

# Longest that fetching a tool's packages may take, in seconds.
readonly packages_seconds=120

# not_run WHAT WHY: this run does without that check, and its last line will say so. In a file, because steps are jobs.
not_run() {
  printf '   not run: %s (%s)\n' "$1" "$2"
  printf '%s (%s)\n' "$1" "$2" >>"$logs/not-run"
}

# What was not run, for the last line; nothing if all was.
print_not_run() {
  local before='; not run: ' line
  [ -f "$logs/not-run" ] || return 0
  while read -r line; do
    printf '%s%s' "$before" "$line"
    before=', '
  done <"$logs/not-run"
}

# quietly COMMAND...: within the time that packages may take, what it says in the log. In the foreground, because a process
# group of its own would outlive a Ctrl-C.
quietly() {
  if command -v timeout >/dev/null; then set -- timeout --foreground "$packages_seconds" "$@"; fi
  "$@" </dev/null >>"$logs/optional.log" 2>&1
}

# installed INTO VERSIONS: the folder was filled for just these.
installed() { [ "$(cat "$1/.installed" 2>/dev/null)" = "$2" ]; }

# install_once WHAT INTO VERSIONS COMMAND...: COMMAND fills the folder, once for each text VERSIONS. Where it cannot, WHAT
# is not run.
install_once() {
  local what=$1 into=$2 versions=$3
  shift 3
  if installed "$into" "$versions"; then return 0; fi
  rm -rf "$into"
  mkdir -p "$into"
  if ! "$@"; then
    not_run "$what" "its packages cannot be installed here; .dev/log/optional.log says why"
    return 1
  fi
  printf '%s\n' "$versions" >"$into/.installed"
}

# npm_packages WHAT FROM INTO: what the lock file in FROM names, in INTO/node_modules. No script of a package is run.
npm_packages() {
  local what=$1 from=$2 into=$3
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    not_run "$what" "node and npm are not there"
    return 1
  fi
  install_once "$what" "$into" "node $(node --version), $(cksum <"$from/package-lock.json")" npm_ci "$from" "$into"
}

npm_ci() {
  cp "$1/package.json" "$1/package-lock.json" "$2/" &&
    quietly npm ci --prefix "$2" --prefer-offline --fetch-retries 1 --ignore-scripts --no-audit --no-fund
}
