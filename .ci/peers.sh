#!/usr/bin/env bash
# Installs the real programs that tests talk to, from Debian. Needs root.
set -euo pipefail
need=""
for pair in rsyslogd:rsyslog softflowd:softflowd ip:iproute2 logger:bsdutils zstd:zstd openssl:openssl mvn:maven javac:openjdk-17-jdk-headless; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || need="$need ${pair##*:}"
done
dpkg -s rsyslog-openssl >/dev/null 2>&1 || need="$need rsyslog-openssl"
[ -z "$need" ] && exit 0
if [ "$(id -u)" != 0 ]; then echo "PEERS=install needs root to install:$need" >&2; exit 1; fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends $need >/dev/null
