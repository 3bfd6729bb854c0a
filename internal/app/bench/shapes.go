// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package bench is `haidang bench`: a server measured under the load of a generator that is a process of its own.
//
// A figure without its conditions is worth nothing: the report says what was sent, what was found by search, how far
// the readers were behind at the end, and what the generator itself cost. Lines are of real shapes; numbers, names and
// addresses in them vary as they do in a province, since an index of equal lines would look small and fast.
package bench

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Hosts is how many hosts send.
const Hosts = 10_000

// shape writes one kind of line; the syslog header's time is now.
type shape struct {
	name string
	line func(dst []byte, r *rand.Rand, now time.Time) []byte
}

func host(r *rand.Rand) string { return fmt.Sprintf("may-%05d", r.IntN(Hosts)) }

func inner(r *rand.Rand) string {
	return fmt.Sprintf("10.%d.%d.%d", 10+10*r.IntN(4), r.IntN(32), 1+r.IntN(250))
}

func outer(r *rand.Rand) string {
	return fmt.Sprintf("%d.%d.%d.%d", 11+r.IntN(200), r.IntN(256), r.IntN(256), 1+r.IntN(254))
}

func port(r *rand.Rand) int { return 1024 + r.IntN(60000) }

func one(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// bsd is a shape with an RFC 3164 header.
func bsd(name string, priority int, program string, text func(r *rand.Rand) string) shape {
	return shape{name, func(dst []byte, r *rand.Rand, now time.Time) []byte {
		tag := program
		if program != "kernel" {
			tag = fmt.Sprintf("%s[%d]", program, 300+r.IntN(30000))
		}
		return fmt.Appendf(dst, "<%d>%s %s %s: %s", priority, now.Format(time.Stamp), host(r), tag, text(r))
	}}
}

// shapes are the lines of a province, in about the shares in which they come.
func shapes() []shape {
	users := []string{"root", "admin", "lan.nguyen", "quantri", "hùng", "backup", "deploy"}
	user := func(r *rand.Rand) string { return users[r.IntN(len(users))] }
	web := func(program string) func(r *rand.Rand) string {
		return func(r *rand.Rand) string {
			return fmt.Sprintf(`%s - - [%s] "%s %s HTTP/1.1" %d %d "%s" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) %s/%d.0"`,
				outer(r), time.Now().Format("02/Jan/2006:15:04:05 -0700"), one(r, "GET", "GET", "POST"),
				one(r, "/", "/tra-cuu?ho-so=", "/api/v1/ho-so/", "/static/app.")+fmt.Sprint(r.IntN(100000)),
				[]int{200, 200, 200, 304, 404, 500}[r.IntN(6)], r.IntN(200000),
				one(r, "-", "https://dichvucong.haidang.example/"), program, 90+r.IntN(40))
		}
	}
	return []shape{
		bsd("sshd-failed", 38, "sshd", func(r *rand.Rand) string {
			return fmt.Sprintf("Failed password for %s from %s port %d ssh2", user(r), outer(r), port(r))
		}),
		bsd("sshd-accepted", 38, "sshd", func(r *rand.Rand) string {
			return fmt.Sprintf("Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:%016x", user(r), inner(r),
				port(r), r.Uint64())
		}),
		bsd("sshd-session", 38, "sshd", func(r *rand.Rand) string {
			return fmt.Sprintf("pam_unix(sshd:session): session opened for user %s(uid=%d) by (uid=0)", user(r), r.IntN(2000))
		}),
		bsd("sshd-closed", 38, "sshd", func(r *rand.Rand) string {
			return fmt.Sprintf("Connection closed by %s port %d [preauth]", outer(r), port(r))
		}),
		bsd("sudo", 85, "sudo", func(r *rand.Rand) string {
			return fmt.Sprintf("%s : TTY=pts/%d ; PWD=/home/%[1]s ; USER=root ; COMMAND=/usr/bin/systemctl restart app%[3]d",
				user(r), r.IntN(9), r.IntN(500))
		}),
		bsd("cron", 78, "CRON", func(r *rand.Rand) string {
			return fmt.Sprintf("(root) CMD (/usr/local/bin/sao-luu --phần %d)", r.IntN(1000))
		}),
		bsd("systemd", 30, "systemd", func(r *rand.Rand) string {
			return fmt.Sprintf("Started session-%d.scope - Session %d of User %s.", r.IntN(9999), r.IntN(9999), user(r))
		}),
		bsd("ufw", 4, "kernel", func(r *rand.Rand) string {
			return fmt.Sprintf("[%d.%06d] [UFW BLOCK] IN=eth0 OUT= MAC=00:16:3e:%02x:%02x:%02x SRC=%s DST=%s LEN=60 TOS=0x00 "+
				"PREC=0x00 TTL=%d ID=%d DF PROTO=TCP SPT=%d DPT=%d WINDOW=64240 RES=0x00 SYN URGP=0", r.IntN(99999),
				r.IntN(999999), r.IntN(256), r.IntN(256), r.IntN(256), outer(r), inner(r), 40+r.IntN(80), r.IntN(65536),
				port(r), r.IntN(1024))
		}),
		bsd("nginx", 190, "nginx", web("Chrome")), bsd("nginx-2", 190, "nginx", web("Firefox")),
		bsd("apache", 190, "apache2", web("Safari")),
		bsd("postfix", 22, "postfix/smtpd", func(r *rand.Rand) string {
			return fmt.Sprintf("%010X: client=unknown[%s], sasl_method=LOGIN, sasl_username=%s", r.Uint64()>>24, outer(r),
				user(r))
		}),
		bsd("app-text", 14, "hoso", func(r *rand.Rand) string {
			return fmt.Sprintf("Tiếp nhận hồ sơ H24-%06d của công dân, trạng thái %s, %d tệp đính kèm", r.IntN(999999),
				one(r, "đủ điều kiện", "chờ bổ sung", "đã trả"), r.IntN(12))
		}),
		bsd("app-kv", 14, "lgsp", func(r *rand.Rand) string {
			return fmt.Sprintf("level=info msg=\"gọi dịch vụ\" service=%s status=%d duration=%dms trace=%016x",
				one(r, "dan-cu", "dat-dai", "ho-tich"), 200+100*r.IntN(4), r.IntN(3000), r.Uint64())
		}),
		bsd("app-json", 14, "api", func(r *rand.Rand) string {
			return fmt.Sprintf(`{"level":"info","method":"GET","path":"/ho-so/%d","status":%d,"ip":"%s","ms":%d}`,
				r.IntN(99999), 200+100*r.IntN(4), outer(r), r.IntN(900))
		}),
		fortigate("forti-accept", "accept"), fortigate("forti-deny", "deny"), fortigate("forti-close", "close"),
		asa("asa-built", 6, 302013, func(r *rand.Rand) string {
			return fmt.Sprintf("Built inbound TCP connection %d for outside:%s/%d (%[2]s/%[3]d) to "+
				"inside:%[4]s/443 (%[4]s/443)", r.IntN(1<<30), outer(r), port(r), inner(r))
		}),
		asa("asa-teardown", 6, 302014, func(r *rand.Rand) string {
			return fmt.Sprintf("Teardown TCP connection %d for outside:%s/%d to inside:%s/443 duration 0:00:%02d "+
				"bytes %d TCP FINs", r.IntN(1<<30), outer(r), port(r), inner(r), r.IntN(60), r.IntN(1<<20))
		}),
		asa("asa-deny", 4, 106023, func(r *rand.Rand) string {
			return fmt.Sprintf("Deny tcp src outside:%s/%d dst inside:%s/%d by access-group \"outside_in\" [0x0, 0x0]",
				outer(r), port(r), inner(r), r.IntN(1024))
		}),
		{"rfc5424", func(dst []byte, r *rand.Rand, now time.Time) []byte {
			return fmt.Appendf(dst, `<165>1 %s %s qlvb %d ID%d [exampleSDID@32473 iut="%d" nguon="ứng dụng"] `+
				`Văn bản %d được ký số`, now.Format(time.RFC3339Nano), host(r), r.IntN(9999), r.IntN(99), r.IntN(9), r.IntN(99999))
		}},
	}
}

func fortigate(name, action string) shape {
	return shape{name, func(dst []byte, r *rand.Rand, now time.Time) []byte {
		return fmt.Appendf(dst, `<189>date=%s time=%s devname="fw-%04d" devid="FG100F%010d" eventtime=%d tz="+0700" `+
			`logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=%s srcport=%d srcintf="lan" `+
			`dstip=%s dstport=%d dstintf="wan1" sessionid=%d proto=6 action="%s" policyid=%d service="HTTPS" `+
			`duration=%d sentbyte=%d rcvdbyte=%d sentpkt=%d rcvdpkt=%d`, now.Format(time.DateOnly), now.Format(time.TimeOnly),
			r.IntN(300), r.IntN(300), now.UnixNano(), inner(r), port(r), outer(r), []int{443, 443, 80, 53}[r.IntN(4)],
			r.Uint32(), action, r.IntN(90), r.IntN(900), r.IntN(1<<20), r.IntN(1<<22), r.IntN(999), r.IntN(999))
	}}
}

func asa(name string, severity, code int, text func(r *rand.Rand) string) shape {
	return shape{name, func(dst []byte, r *rand.Rand, now time.Time) []byte {
		return fmt.Appendf(dst, "<%d>%s asa-%03d : %%ASA-%d-%d: %s", 160+severity, now.Format("Jan 02 2006 15:04:05"),
			r.IntN(100), severity, code, text(r))
	}}
}
