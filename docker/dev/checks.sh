# The steps of ./dev test, in order, and their totals. Sourced by ./dev.
# shellcheck shell=bash

readonly deny_version=0.20.2
# The advisory database is fetched from the network; a machine without one must not hang here.
readonly fetch_seconds=60

# step TITLE COMMAND...: a heading, the command, the time it took. The first failure ends the run.
step() {
  local title=$1 began=$SECONDS
  shift
  printf '\n== %s\n' "$title"
  if ! run "$@"; then
    failed_step=$title
    exit 1
  fi
  printf '   %s: %s s\n' "$title" "$((SECONDS - began))"
}

# The properties draw the same histories at every run, so that what fails is a change and never a matter of luck; `./dev hunt`
# draws new ones.
readonly usual_seed=20261121

tests() {
  set -o pipefail
  export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-$usual_seed}
  cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$logs/test.log"
}

# What became of each body recorded elsewhere: the test that looks at them prints it.
sample_table() {
  if [ -z "${SWITCHBOARD_SAMPLES:-}" ]; then
    not_run "sample bodies" "SWITCHBOARD_SAMPLES names no folder"
    return 0
  fi
  step "sample bodies" cargo test --locked --quiet --test pure contract_in::samples -- --nocapture --test-threads 1
}

docs() { RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items; }

policies() { cargo deny --locked check --hide-inclusion-graph bans licenses sources; }

# Known vulnerabilities, when the list of them can be fetched: the network never fails a run.
advisories() {
  local fetch=(cargo deny fetch db)
  if command -v timeout >/dev/null; then fetch=(timeout "$fetch_seconds" "${fetch[@]}"); fi
  if ! "${fetch[@]}" >"$logs/advisories.log" 2>&1; then
    not_run "advisories" "their database cannot be fetched from here; .dev/log/advisories.log says why"
    return 0
  fi
  cargo deny --locked check --disable-fetch advisories
}

# cargo-deny from PATH, or once into .dev/tools.
have_cargo_deny() {
  PATH=$PATH:$state/tools/bin
  if command -v cargo-deny >/dev/null; then return 0; fi
  note "installing cargo-deny $deny_version into .dev/tools; this takes some minutes, once …"
  # Unoptimised: it is built far oftener than its speed is felt.
  run cargo install --locked --debug --root "$state/tools" "cargo-deny@$deny_version"
}

# The AsyncAPI document before the parser that everybody's tools use.
asyncapi_document() {
  local from=$root/tests/clients/asyncapi packages=$state/clients/asyncapi
  npm_packages "AsyncAPI parser" "$from" "$packages" || return 0
  node "$from/validate.mjs" "$packages" "$root/schemas/asyncapi.yaml"
}

all_checks() {
  step "cargo fmt --check" cargo fmt --check
  step "cargo clippy" cargo clippy --locked --all-targets -- -D warnings
  command -v openssl >/dev/null || not_run "TLS to RabbitMQ" "openssl is not there to make certificates"
  step "cargo test" tests
  sample_table
  step "cargo doc" docs
  step "AsyncAPI document" asyncapi_document
  if have_cargo_deny; then
    step "cargo deny: bans, licences, sources" policies
    step "cargo deny: advisories" advisories
  elif [ "${CI:-}" = true ]; then
    failed_step="installing cargo-deny"
    exit 1
  else
    printf '\n!! NOT CHECKED: licences, bans, sources and advisories, because cargo-deny cannot be installed here.\n'
  fi
}

# The totals over all test binaries. A step that failed without a failed test counts as one failure, so that the
# last line never looks better than the run was.
print_totals() {
  local passed=0 failed=0 skipped=0 word previous=
  if [ -f "$logs/test.log" ]; then
    for word in $(sed -n 's/^test result: [a-zA-Z]*\. //p' "$logs/test.log" | tr -d ';'); do
      case "$word" in
        passed) passed=$((passed + previous)) ;;
        failed) failed=$((failed + previous)) ;;
        ignored) skipped=$((skipped + previous)) ;;
      esac
      previous=$word
    done
  fi
  if [ "$1" -ne 0 ]; then
    printf '\nfailed: %s\n' "${failed_step:-the run was ended early}"
    if [ "$failed" -eq 0 ]; then failed=1; fi
  fi
  printf '\n%s passed, %s failed' "$passed" "$failed"
  if [ "$skipped" -gt 0 ]; then printf ', %s skipped' "$skipped"; fi
  print_not_run
  printf '\n'
}
