#!/usr/bin/env bash
# Every test, part by part; `test.sh lint` runs one part. Parts of tests are told apart by the names of their functions:
# TestKill..., TestOracle... and TestMutation..., TestPeer... and TestDemo...; all others are the unit tests.
set -euo pipefail
cd "$(dirname "$0")/.."
race=""
if [ "${CGO_ENABLED:-1}" != 0 ] && command -v cc >/dev/null 2>&1; then race=-race; fi
if [ "${CI:-}" = true ] && [ -z "$race" ]; then echo "CI needs a C compiler for -race" >&2; exit 1; fi
part() { bash .ci/part.sh "$@"; }

lint() {
	local bad
	bad=$(gofmt -l $(git ls-files '*.go'))
	if [ -n "$bad" ]; then echo "not gofmt-ed: $bad" >&2; return 1; fi
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff
	go generate ./...
	git diff --exit-code --stat
}
slow='^Test(Kill|Oracle|Mutation|Peer|Demo)'
unit() { go test $race -timeout 15m -skip "$slow" ./...; }
# having NAMES: the packages with tests of these names; linking the tests of all the others takes longer than running.
having() { git grep -lE "^func Test($1)" -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,'; }
kill_() { go test -timeout 10m -count=1 -run '^TestKill' $(having Kill); }
oracle() { go test -timeout 10m -count=1 -run '^Test(Oracle|Mutation)' $(having 'Oracle|Mutation'); }
peers() {
	if [ "${PEERS:-}" = install ]; then bash .ci/peers.sh; fi
	go test -timeout 15m -count=1 -p 1 -run '^Test(Peer|Demo)' $(having 'Peer|Demo')
}

case "${1:-all}" in
lint) part lint bash "$0" do-lint ;;
do-lint) lint ;;
do-unit) unit ;;
do-kill) kill_ ;;
do-oracle) oracle ;;
do-peers) peers ;;
all)
	part "lint" bash "$0" do-lint
	part "unit${race:+ and race}" bash "$0" do-unit
	part "kill and chaos" bash "$0" do-kill
	part "oracle and mutation" bash "$0" do-oracle
	part "peers and demo" bash "$0" do-peers
	;;
esac
