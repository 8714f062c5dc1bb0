#!/usr/bin/env bash
# Compares runner's listing of a classic tree (V8 3.14 to 6.3) with that of its own run-tests.py.
# usage: benches/classic.sh TREE [SUITE...]
# TREE: a checkout with out/x64.release and in it the suites' programs (any programs will do).
# Needs python2.7 and: cargo build --release --bin runner
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "${1:?usage: benches/classic.sh TREE [SUITE...]}" && pwd)
shift
runner=${RUNNER:-$here/../target/release/runner}
suites=("$@")
if [ ${#suites[@]} -eq 0 ]; then
  for suite in mjsunit message preparser webkit intl debugger inspector benchmarks fuzzer; do
    [ ! -d "$tree/test/$suite" ] || suites+=("$suite")
  done
  [ ! -d "$tree/test/test262/data/test" ] || suites+=(test262)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
variants=(dev exhaustive)
theirs=(--arch=x64 --mode=release -j1 --progress=dots --no-network)
if [ -e "$tree/tools/testrunner/local/old_statusfile.py" ]; then
  # 2012: one set of variants, no seed; presubmit checks come first.
  variants=(dev)
  theirs+=(--no-presubmit)
else
  grep -qr exhaustive-variants "$tree/tools/run-tests.py" "$tree/tools/testrunner" || variants=(dev)
  ! grep -qr -e random-seed "$tree/tools/run-tests.py" "$tree/tools/testrunner" || theirs+=(--random-seed=42)
  ! grep -q no-presubmit "$tree/tools/run-tests.py" || theirs+=(--no-presubmit)
fi
echo "| suite | variants | tests that V8 would run | missing here | only here | different |"
echo "|---|---|---|---|---|---|"
for suite in "${suites[@]}"; do
  for variant in "${variants[@]}"; do
    more=()
    [ "$variant" = dev ] || more=(--exhaustive-variants)
    python2.7 "$here/list_classic.py" "$tree" "$work/v8" -- "${theirs[@]}" "${more[@]}" "$suite" >"$work/log" 2>&1 ||
      [ -s "$work/v8" ]
    "$runner" --root "$tree" --no-config --no-history --arch x64 --mode release --random-seed=42 --list-format=json \
      --variants="$variant" "$suite" >"$work/ours" || {
      echo "| $suite | $variant | not known here | | | |"
      continue
    }
    result=$(python3 "$here/compare_classic.py" "$work/ours" "$work/v8" "$tree" | tail -n 1) || status=1
    read -r compared _ missing _ extra _ different _ <<<"$result"
    echo "| $suite | $variant | $compared | $missing | $extra | $different |"
  done
done
exit $status
