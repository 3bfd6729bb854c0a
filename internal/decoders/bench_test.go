// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"context"
	"syscall"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// shapes are one typical line of each kind.
var shapes = [...]struct{ name, line string }{
	{"sshd", "<38>Nov 24 09:10:01 cong-dvc sshd[812]: Failed password for invalid user oracle from 203.0.113.9 " +
		"port 40023 ssh2"},
	{"sudo", "<86>Nov 24 09:12:01 cong-dvc sudo[4410]:      lan : TTY=pts/0 ; PWD=/home/lan ; USER=root ; " +
		"COMMAND=/usr/bin/systemctl restart nginx"},
	{"pam", "<86>Nov 24 09:12:01 cong-dvc vsftpd[52]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 " +
		"euid=0 tty=ftp ruser=lan rhost=203.0.113.9"},
	{"cron", "<86>Nov 24 09:12:01 cong-dvc CRON[901]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)"},
	{"systemd", "<30>Nov 24 09:12:01 cong-dvc systemd[1]: Started nginx.service - A high performance web server."},
	{"netfilter", "<4>Nov 24 09:13:00 tuong-lua kernel: [12.5] [UFW BLOCK] IN=eth0 OUT= " +
		"MAC=00:08:a2:0c:1f:12:00:c8:8b:e2:d6:87:08:00 SRC=203.0.113.61 DST=10.20.1.2 LEN=60 TOS=0x00 PREC=0x00 " +
		"TTL=50 ID=1 DF PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0"},
	{"nginx", "<190>Nov 24 09:14:00 cong-dvc nginx: 203.0.113.9 - - [24/Nov/2026:09:14:00 +0700] " +
		"\"GET /dich-vu/tra-cuu?ma=12 HTTP/1.1\" 200 5124 \"https://dichvucong.example/\" " +
		"\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\""},
	{"fortigate", "<189>date=2026-11-24 time=09:15:00 devname=\"FG-SO-YTE\" devid=\"FGT60F0000000001\" " +
		"eventtime=1795486500000000000 tz=\"+0700\" logid=\"0000000013\" type=\"traffic\" subtype=\"forward\" " +
		"level=\"notice\" vd=\"root\" srcip=203.0.113.9 srcport=40111 srcintf=\"wan1\" dstip=10.30.1.5 dstport=23 " +
		"dstintf=\"lan\" proto=6 action=\"deny\" policyid=0 service=\"TELNET\" duration=0 sentbyte=0 rcvdbyte=0"},
	{"asa", "<166>Nov 24 2026 09:16:00 asa-tinh : %ASA-6-302013: Built inbound TCP connection 7701 for " +
		"outside:203.0.113.9/40226 (203.0.113.9/40226) to inside:10.20.1.2/443 (198.51.100.2/443)"},
	{"ios", "<190>1206: Nov 24 09:16:01: %SEC-6-IPACCESSLOGP: list 101 denied tcp 203.0.113.9(40229) -> " +
		"10.20.1.2(80), 3 packets"},
	{"json", "<134>Nov 24 09:17:00 ung-dung api: {\"client_ip\":\"203.0.113.9\",\"url\":\"/a\",\"method\":\"GET\"," +
		"\"status\":404,\"user_agent\":\"Mozilla/5.0\"}"},
	{"keyvalue", "<134>Nov 24 09:17:00 ung-dung qlvb: src=203.0.113.9 spt=40300 dst=10.20.1.2 dpt=8443 proto=tcp " +
		"user=\"an\" action=login result=failed"},
	{"plain", "<13>Nov 24 09:18:00 may-tram ung-dung: \u0110\u00e3 m\u1edf h\u1ed3 s\u01a1 s\u1ed1 12"},
}

// BenchmarkDecode measures header, decoder and building of one event; enriching comes on top.
func BenchmarkDecode(b *testing.B) {
	for _, s := range shapes {
		b.Run(s.name, func(b *testing.B) {
			raw := []byte(s.line)
			set := New(Config{})
			m := &Meta{Received: received}
			build := event.NewBuilder("bench", 1)
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			start := cpu()
			for i := range b.N {
				if i%256 == 0 {
					build.Reset("bench", 1)
				}
				build.Begin(uint64(i), 0)
				set.Decode(build, raw, m)
				build.End()
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is the processor time of this process in nanoseconds: it tells more than the clock on a busy machine.
func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkWriter measures the whole stage over a batch of mixed shapes, per event.
func BenchmarkWriter(b *testing.B) {
	var lines []string
	for i := range 256 {
		lines = append(lines, shapes[i%len(shapes)].line)
	}
	in := rawBatch(lines...)
	w := &Writer{Set: New(Config{}), Next: discard{}}
	b.ReportAllocs()
	start := cpu()
	for i := 0; i < b.N; i += len(lines) {
		if err := w.Write(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
}

type discard struct{}

func (discard) Write(context.Context, *event.Batch) error { return nil }
