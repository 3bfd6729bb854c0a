#!/usr/bin/env bash
# fuzz.sh TIME: every fuzz target for TIME, one after another. The cache of inputs is kept by go, so a later run goes on.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
n=0
# A target that is in the middle of an input when its time ends fails with "context deadline exceeded" and nothing else:
# that is go's own race, not a finding. A finding names the input that it wrote down.
clock() { grep -q '^ *context deadline exceeded$' "$1" && ! grep -qE 'Failing input|panic:|_test.go:' "$1"; }
for pkg in $(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do
	bin=$(mktemp -d)
	go test -c -fuzz=Fuzz -o "$bin/fuzz.test" "./$pkg"
	for target in $(git grep -hoE '^func Fuzz[A-Za-z0-9_]+' -- ":(glob)$pkg/*_test.go" | sed 's/func //' | sort -u); do
		(cd "$pkg" && "$bin/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" \
			-test.fuzzminimizetime 10x -test.fuzzcachedir "$(go env GOCACHE)/fuzz/$pkg" >"$bin/log" 2>&1) ||
			clock "$bin/log" || { cat "$bin/log" >&2; exit 1; }
		n=$((n + 1))
	done
	rm -rf "$bin"
done
echo "fuzz: $n targets, $time each"
