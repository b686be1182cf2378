# Coverage-guided fuzzing of what reads others' bytes: tests/fuzz. Sourced by ./dev.
# shellcheck shell=bash

# A build without sanitizers: what is fuzzed has no unsafe code, and runs three times as often.
readonly fuzz_build=(--fuzz-dir tests/fuzz --target-dir "$state/fuzz/target" --sanitizer none)

fuzz_targets() { sed -n 's/^ *target("\([a-z_]*\)".*/\1/p' "$root/tests/fuzz/src/targets/mod.rs"; }

# fuzz [TARGET|all] [SECONDS]: from the kept inputs, into .dev/fuzz; a failing input is left in .dev/fuzz/artifacts.
fuzz() {
  local wanted=${1:-all} seconds=${2:-60} target failed=0
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "fuzz takes a number of seconds, not \"$seconds\"."
  if [ "$wanted" != all ] && ! fuzz_targets | grep -qx "$wanted"; then
    die "there is no target \"$wanted\"; there are: $(fuzz_targets | tr '\n' ' ')"
  fi
  lock
  ensure_build_tools
  PATH=$PATH:$state/tools/bin
  cargo +nightly --version >/dev/null 2>&1 && command -v cargo-fuzz >/dev/null ||
    die "fuzzing wants a nightly compiler and cargo-fuzz. Install them, then run this again:
  rustup toolchain install nightly --profile minimal
  cargo install --locked --root $state/tools cargo-fuzz"
  cd "$root"
  mkdir -p "$logs"
  for target in $(fuzz_targets); do
    [ "$wanted" = all ] || [ "$wanted" = "$target" ] || continue
    mkdir -p "$state/fuzz/corpus/$target" "$state/fuzz/artifacts/$target"
    printf '\n== %s, %s s\n' "$target" "$seconds"
    run cargo +nightly fuzz run "${fuzz_build[@]}" "$target" "$state/fuzz/corpus/$target" "tests/fuzz/corpus/$target" -- \
      -max_total_time="$seconds" -max_len=8192 -timeout=15 -rss_limit_mb=1500 -print_final_stats=1 \
      -artifact_prefix="$state/fuzz/artifacts/$target/" >"$logs/fuzz.$target.log" 2>&1 || failed=1
    grep -E '^stat::number_of_executed|panicked|^SUMMARY|Test unit written' "$logs/fuzz.$target.log" || true
  done
  [ "$failed" -eq 0 ] || die "an input was found that fails; it is named above, and all is in $logs/fuzz.*.log"
}
