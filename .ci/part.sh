#!/usr/bin/env bash
# part.sh NAME COMMAND...: runs a part and prints the seconds it took.
set -uo pipefail
name=$1
shift
start=$SECONDS
"$@"
status=$?
if [ $status -eq 0 ]; then
	echo "== $name: $((SECONDS - start)) s"
else
	echo "== $name: FAILED after $((SECONDS - start)) s" >&2
fi
exit $status
