// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// hostile are beginnings that lead a line to one decoder, each to be filled with what its loops look for.
var hostile = [...]struct{ begin, fill, end string }{
	{"<38>Nov 24 09:10:01 h sshd[1]: Failed password for ", "from ", "port 1"},
	{"<38>Nov 24 09:10:01 h sshd[1]: Failed password for ", "x from 1.1.1.1 port ", ""},
	{"<38>Nov 24 09:10:01 h sshd[1]: Connection closed by user ", "a port ", ""},
	{"<86>Nov 24 09:10:01 h sudo: a : ", "A=b ; ", ""},
	{"<86>Nov 24 09:10:01 h sudo: a : ", " : = ", ""},
	{"<86>Nov 24 09:10:01 h useradd[1]: new user: ", "name=a, ", ""},
	{"<86>Nov 24 09:10:01 h app[1]: pam_unix(", "x): authentication failure; rhost= user=", ""},
	{"<4>Nov 24 09:13:00 h kernel: IN= OUT= SRC=1.1.1.1 ", "SRC=1.1.1.1 DST=2.2.2.2 ", ""},
	{"<4>Nov 24 09:13:00 h kernel: ", "IN=", " OUT= SRC="},
	{"1.1.1.1 - - [24/Nov/2026:09:14:00 +0700] \"", "GET /%2e?%41=+\\x41 ", "HTTP/1.1\" 200 1"},
	{"1.1.1.1 ", "1.1.1.1, ", "- - [24/Nov/2026:09:14:00 +0700] \"GET / HTTP/1.1\" 200 1"},
	{"2026/11/24 09:14:01 [error] 8#8: *1 ", ", client: 1.1.1.1, request: \"", ""},
	{"2026/11/24 09:14:01 [error] 8#8: *1 ", "\", referrer: \"", ""},
	{"[Tue Nov 24 09:14:01 2026] [error] [client 1.1.1.1] ModSecurity: ", "[id \"", ""},
	{"date=2026-11-24 time=09:15:00 logid=\"1\" type=\"traffic\" vd=\"r\" ", "k=\"v\" srcip=1.1.1.1 ", ""},
	{"date=2026-11-24 time=09:15:00 logid=\"1\" type=\"traffic\" vd=\"r\" ", "\\\"=", ""},
	{"%ASA-4-106023: Deny tcp ", "src a:1.1.1.1/1 dst ", ""},
	{"%ASA-6-302013: Built inbound TCP connection 1 for ", "a:1.1.1.1/1 (1.1.1.1/1) to ", ""},
	{"%ASA-6-113005: AAA user authentication Rejected", " : user = x", ""},
	{"%SEC_LOGIN-4-LOGIN_FAILED: Login failed ", "[user: x] [Source: 1.1.1.1] ", ""},
	{"%SEC-6-IPACCESSLOGP: list 1 denied ", "tcp 1.1.1.1(1) -> ", ""},
	{"{", "\"a\":{", ""},
	{"{\"a\":[", "{\"b\":\"\\u00e9\"},", "1]}"},
	{"{\"tags\":[", "\"x\",", "\"y\"]}"},
	{"{", "\"kkkkkkkkkkkkkkkkkkkkkkkkkkkk\":{\"a\":1},", "\"b\":1}"},
	{"<13>Nov 24 09:10:01 h app: CEF:0|a|b|c|d|e|f|", "k\\=v = ", ""},
	{"type=EXECVE msg=audit(1795486500.124:458): argc=3 ", "a1=2F7372762F686FCC ", ""},
	{"<13>Nov 24 09:10:01 h app: ", "message repeated 2 times: [ ", "]"},
	{"Nov 24 09:21:00 h filterlog: 1,,,1,em0,match,block,in,4", ",", ""},
	{"<13>Nov 24 09:10:01 h app: a=b c=d e=f ", "=", ""},
}

// TestHostile wants work to grow with the length of a line and not with its square: sixteen times the line may not take
// more than a hundred times the memory that the small one takes, nor grow beyond the limit of an event.
func TestHostile(t *testing.T) {
	set := New(Config{})
	for _, h := range hostile {
		short := hostileLine(h.begin, h.fill, h.end, 3<<10)
		long := hostileLine(h.begin, h.fill, h.end, 48<<10)
		a, b := fuzzEvent(set, short), fuzzEvent(set, long)
		if n := b.Batch().Size(); n > MaxEvent+4<<10 || n > 100*a.Batch().Size() {
			t.Errorf("%q ...: %d bytes from %d, %d bytes from %d", h.begin, a.Batch().Size(), len(short), n, len(long))
		}
		checkTypes(t, b, h.begin)
	}
}

func hostileLine(begin, fill, end string, size int) []byte {
	return []byte(begin + strings.Repeat(fill, (size-len(begin)-len(end))/len(fill)) + end)
}

// BenchmarkHostile prints the processor time for 48 KiB of each: the nanoseconds a byte should be alike.
func BenchmarkHostile(b *testing.B) {
	set := New(Config{})
	m := &Meta{Received: received}
	build := event.NewBuilder("bench", 1)
	for _, h := range hostile {
		raw := hostileLine(h.begin, h.fill, h.end, 48<<10)
		b.Run(strings.Map(plainName, h.begin), func(b *testing.B) {
			start := cpu()
			for range b.N {
				build.Reset("bench", 1)
				build.Begin(1, 0)
				set.Decode(build, raw, m)
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N)/float64(len(raw)), "cpu-ns/byte")
		})
	}
}

func plainName(r rune) rune {
	if r <= ' ' || r > '~' {
		return '_'
	}
	return r
}
