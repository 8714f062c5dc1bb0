#!/usr/bin/env bash
# Compares runner's listing with that of V8's own classes, for all suites that are there, default and exhaustive variants.
# usage: benches/listings.sh TREE [SUITE...]
# TREE: V8 6.7 to 9.2 with a build in out/build (v8_build_config.json, d8 and inspector-test; any programs will do), and for
# test262 its data and harness. Needs python2.7 and: cargo build --release --bin runner (or RUNNER).
# The fuzzer suite of V8 7.4 to 8.5 lists nothing in V8, which looks for an extension that its files have not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "${1:?usage: benches/listings.sh TREE [SUITE...]}" && pwd)
shift
suites=("$@")
runner=${RUNNER:-$here/../target/release/runner}
if [ ${#suites[@]} -eq 0 ]; then
  for suite in mjsunit message webkit intl debugger inspector preparser benchmarks; do
    [ ! -e "$tree/test/$suite/testcfg.py" ] || suites+=("$suite")
  done
  [ ! -d "$tree/test/test262/data/test" ] || suites+=(test262)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
echo "| suite | variants | tests that V8 would run | compared, with skipped ones | different |"
echo "|---|---|---|---|---|"
for suite in "${suites[@]}"; do
  for variants in default exhaustive; do
    rm -f "$work/v8"
    python2.7 "$here/list_modern.py" "$tree" "$work/v8" "$variants" "$suite" >"$work/log"
    "$runner" --root "$tree" --no-config --outdir out/build --random-seed=42 \
      --list-format=json --variants="$variants" "$suite" >"$work/ours"
    would=$(grep -c '"skipped": false' "$work/v8")
    result=$(python3 "$here/compare_listing.py" "$work/ours" "$work/v8" | tail -n 1) || status=1
    read -r compared _ _ different _ <<<"$result"
    echo "| $suite | $variants | $would | $compared | $different |"
  done
done
exit $status
