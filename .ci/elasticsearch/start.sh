#!/usr/bin/env bash
# start.sh DIR: a real Elasticsearch of one node for tests, from the jars that are published, with its data in DIR. It
# prints "ready URL VERSION" and stops on SIGTERM. It needs Maven and a JDK 17 or later; exit code 3 without them.
# Jars and classes are kept in $HAIDANG_ELASTICSEARCH, else in the user's cache.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${HAIDANG_ELASTICSEARCH:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/haidang-elasticsearch}
for need in mvn java javac flock; do
	command -v "$need" >/dev/null 2>&1 || { echo "no $need: install maven and openjdk-17-jdk-headless" >&2; exit 3; }
done
mkdir -p "$work"
exec 9>"$work/lock"
flock 9
want="$(cat "$here"/*.java "$here/pom.xml" "$here/start.sh" | cksum) $(javac -version 2>&1)"
if [ "$(cat "$work/stamp" 2>/dev/null || true)" != "$want" ]; then
	rm -rf "$work/lib" "$work/classes" "$work/stamp"
	mkdir -p "$work/lib" "$work/classes"
	mvn -B -q -Dstyle.color=never -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
		-DoutputDirectory="$work/lib" -DincludeScope=runtime >&2
	javac -nowarn -proc:none -Xlint:none -XDsuppressNotes -cp "$work/lib/*" -d "$work/classes" "$here"/*.java >&2
	echo "$want" >"$work/stamp"
fi
exec 9>&-
exec java -Xms512m -Xmx512m -Dfile.encoding=UTF-8 -Dlog4j2.disable.jmx=true -Dlog4j.shutdownHookEnabled=false \
	-Dlog4j2.formatMsgNoLookups=true -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true \
	-Dio.netty.recycler.maxCapacityPerThread=0 -Djava.awt.headless=true \
	-cp "$work/classes:$work/lib/*" haidang.Launcher "$1"
