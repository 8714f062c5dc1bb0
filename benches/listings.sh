#!/usr/bin/env bash
# Compares runner's listings with those of V8's own classes, V8 6.7 to 13.8: see listings.py beside this for its options.
exec python3 "$(dirname "$0")/listings.py" "$@"
