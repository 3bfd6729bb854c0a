#!/usr/bin/env bash
# Installs the real programs that tests talk to.
set -euo pipefail
need=""
for pair in rsyslogd:rsyslog softflowd:softflowd ip:iproute2 zstd:zstd openssl:openssl; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || need="$need ${pair##*:}"
done
dpkg -s rsyslog-openssl >/dev/null 2>&1 || need="$need rsyslog-openssl"
[ -z "$need" ] && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends $need >/dev/null
