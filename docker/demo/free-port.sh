#!/usr/bin/env bash
# Prints a port of this machine that nobody listens on.
set -euo pipefail
for _ in $(seq 100); do
  port=$((20000 + RANDOM % 20000))
  if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "$port"
    exit 0
  fi
done
echo "no free port was found" >&2
exit 1
