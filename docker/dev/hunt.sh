# New histories for the properties, for as long as wanted: what ./dev test draws is always the same. Sourced by ./dev.
# shellcheck shell=bash

# hunt [MINUTES]: the properties with a new seed each round, until one fails or the time is over.
hunt() {
  local minutes=${1:-10} began=$SECONDS round=0
  [[ $minutes =~ ^[1-9][0-9]*$ ]] || die "hunt takes a number of minutes, not \"$minutes\"."
  lock
  ensure_build_tools
  cd "$root"
  run cargo test --locked --test pure --no-run
  while [ "$((SECONDS - began))" -lt "$((minutes * 60))" ]; do
    round=$((round + 1))
    PROPTEST_RNG_SEED=$(od -An -N6 -tu8 /dev/urandom | tr -d ' ')
    export PROPTEST_RNG_SEED
    printf 'round %s, seed %s\n' "$round" "$PROPTEST_RNG_SEED"
    if ! run cargo test --locked --quiet --test pure -- properties generated; then
      printf 'failed: PROPTEST_RNG_SEED=%s cargo test --test pure\n' "$PROPTEST_RNG_SEED"
      printf 'The history is kept in tests/proptest-regressions: commit it with what mends it.\n'
      exit 1
    fi
  done
  printf '%s rounds, nothing found\n' "$round"
}
