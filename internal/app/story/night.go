// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package story

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Moment is a second of the night: what is said in it, and what the routers export.
type Moment struct {
	At    time.Time
	Title string   // Vietnamese; what the story tells now, empty for an ordinary second
	Lines []string // syslog messages, as the relay passes them on
	Flows []Flow
}

// Length is how long the night is told.
const Length = 26 * time.Minute

// Night yields the seconds of the night that begins at 02:05. The attack is the same every night; ordinary traffic is
// drawn from the seed.
func Night(begin time.Time, seed uint64) func(yield func(Moment) bool) {
	return func(yield func(Moment) bool) {
		n := &night{r: rand.New(rand.NewPCG(seed, 1)), begin: begin}
		for s := range int(Length / time.Second) {
			m := Moment{At: begin.Add(time.Duration(s) * time.Second)}
			n.ordinary(&m, s)
			n.attack(&m, s)
			if !yield(m) {
				return
			}
		}
	}
}

// The attacker's address, and what the story happens to.
const (
	attacker = "198.51.100.77"
	victim   = "dvc-web-01"
	database = "10.10.2.11"
)

type night struct {
	r     *rand.Rand
	begin time.Time
	pid   int
}

// say adds a line of a host, as RFC 3164 has it: local time without a year.
func (m *Moment) say(priority int, host, text string) {
	m.Lines = append(m.Lines, fmt.Sprintf("<%d>%s %s %s", priority, m.At.Format(time.Stamp), host, text))
}

func (n *night) pick(list ...string) string { return list[n.r.IntN(len(list))] }

// ordinary is what every night is like: citizens on the portals, cron, backups, administrators at work.
func (n *night) ordinary(m *Moment, s int) {
	for range 3 + n.r.IntN(4) {
		n.citizen(m)
	}
	n.pid++
	switch {
	case s%30 == 7:
		m.say(78, n.pick("dvc-db-01", "qlvb-db-01", "mail-01"), fmt.Sprintf(
			"CRON[%d]: (root) CMD (/usr/local/bin/sao-luu --tăng-dần)", 4000+n.pid))
	case s%45 == 11:
		host := n.pick("qlvb-app-01", "motcua-web-01", "lgsp-01")
		m.say(86, host, fmt.Sprintf("sshd[%d]: Accepted publickey for quantri from 10.10.250.%d port %d ssh2: ED25519 "+
			"SHA256:kq3N0JYp7m1", 5000+n.pid, 10+n.r.IntN(5), 40000+n.r.IntN(20000)))
		m.say(85, host, fmt.Sprintf("sudo: quantri : TTY=pts/0 ; PWD=/home/quantri ; USER=root ; COMMAND=/usr/bin/%s",
			n.pick("systemctl status nginx", "journalctl -u dvc", "apt-get update")))
	case s%200 == 60:
		m.say(86, "qlvb-app-01", fmt.Sprintf("sshd[%d]: Failed password for quantri from 10.10.250.12 port 50112 ssh2",
			6000+n.pid)) // a typing mistake
	}
	if s%4 == 0 {
		n.firewall(m, "fw-inet-01", "203.0.113.11")
	}
	if s%5 == 0 && s < firewallStops {
		n.firewall(m, "fw-stc-01", "10.30.5.20")
	}
	if s%10 == 3 {
		n.flows(m)
	}
}

// firewallStops is the second in which the firewall of Sở Tài chính says its last word.
const firewallStops = 9 * 60

func (n *night) citizen(m *Moment) {
	host := n.pick("portal-web-01", "portal-web-02", "dvc-web-01", "dvc-web-02")
	path := n.pick("/", "/thu-tuc", "/tra-cuu?ho-so=H24.%C4%90%C4%83ng-k%C3%BD", "/api/v1/ho-so", "/static/app.css",
		"/tin-tuc/k%E1%BB%B3-ngh%E1%BB%89-l%E1%BB%85", "/dang-nhap")
	status := 200
	if n.r.IntN(60) == 0 {
		status = 404
	}
	m.say(190, host, fmt.Sprintf(`nginx: 192.0.2.%d - - [%s] "GET %s HTTP/1.1" %d %d "-" `+
		`"Mozilla/5.0 (Linux; Android 14)"`, 129+n.r.IntN(120), m.At.Format("02/Jan/2006:15:04:05 -0700"), path, status,
		500+n.r.IntN(40000)))
}

func (n *night) firewall(m *Moment, device, dst string) {
	action, port := "accept", 443
	if n.r.IntN(8) == 0 {
		action, port = "deny", 23
	}
	src := fmt.Sprintf("192.0.2.%d", 129+n.r.IntN(120))
	if device == "fw-stc-01" {
		src, dst = fmt.Sprintf("10.30.5.%d", 20+n.r.IntN(60)), "10.10.3.71"
	}
	m.Lines = append(m.Lines, fmt.Sprintf(`<189>date=%s time=%s devname="%s" devid="FG100F0000000001" logid="0000000013" `+
		`type="traffic" subtype="forward" level="notice" vd="root" srcip=%s srcport=%d dstip=%s dstport=%d proto=6 `+
		`action="%s" policyid=12 service="HTTPS" sentbyte=%d rcvdbyte=%d`, m.At.Format(time.DateOnly),
		m.At.Format(time.TimeOnly), device, src, 30000+n.r.IntN(30000), dst, port, action, 600+n.r.IntN(4000),
		900+n.r.IntN(90000)))
}

// flows are ordinary: citizens' requests, the database behind the portal, the backup to the other data centre.
func (n *night) flows(m *Moment) {
	flow := func(src, dst string, port uint16, bytes uint64) {
		m.Flows = append(m.Flows, Flow{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst),
			SrcPort: uint16(32768 + n.r.IntN(28000)), DstPort: port, Protocol: 6, Bytes: bytes, Packets: bytes/900 + 4,
			Start: m.At.Add(-8 * time.Second), End: m.At.Add(-time.Second)})
	}
	for range 4 {
		flow(fmt.Sprintf("192.0.2.%d", 129+n.r.IntN(120)), n.pick("10.10.1.11", "10.10.1.12", "10.10.1.21"), 443,
			uint64(2000+n.r.IntN(60000)))
	}
	flow("10.10.1.11", database, 5432, uint64(20_000+n.r.IntN(80_000)))
	flow("10.100.0.11", "10.20.4.21", 873, uint64(30_000_000+n.r.IntN(20_000_000)))
}
