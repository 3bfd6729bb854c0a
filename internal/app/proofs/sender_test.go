// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/spool/ingest"
)

// host is a machine of deploy/sample/inventory.yml.
type host struct{ name, addr string }

var hosts = [...]host{{"dvc-web-01", "10.10.1.11"}, {"dvc-web-02", "10.10.1.12"}, {"dvc-db-01", "10.10.2.11"},
	{"motcua-web-01", "10.10.1.31"}, {"portal-web-01", "10.10.1.21"}, {"portal-web-02", "10.10.1.22"}}

// said is a line as an agent has it in its file: sent again it is the same.
type said struct {
	line string
	from host
	at   int64 // when the agent read it
}

// sender is an agent: it numbers its lines and sends those again that were not acknowledged.
type sender struct {
	source string
	client *ingest.Client
	clock  clock
	r      *rand.Rand
	lines  []said // from unit 0 on
	pid    int

	acked   atomic.Uint64
	answers atomic.Int64 // requests that were answered with success
	again   int          // units sent more than once
}

func newSender(dir string, n int, seed uint64, c clock) *sender {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "data", "api.sock"))
	}
	return &sender{source: fmt.Sprintf("agent/%d/test", n), clock: c, r: rand.New(rand.NewPCG(seed, uint64(n))),
		client: &ingest.Client{URL: "http://haidang/v1/spool",
			HTTP: &http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: 20 * time.Second}}}
}

// run sends until ctx is done, and then what is left until the guard of left is done too.
func (s *sender) run(ctx, left context.Context) error {
	pause := time.NewTicker(25 * time.Millisecond)
	defer pause.Stop()
	sent := uint64(0)
	for left.Err() == nil {
		if ctx.Err() == nil {
			for range 1 + s.r.IntN(12) {
				s.say()
			}
		}
		acked, end := s.acked.Load(), uint64(len(s.lines))
		if acked == end {
			return nil
		}
		if sent > acked {
			s.again += int(sent - acked)
		}
		sent = end
		err := s.send(left, acked, min(end, acked+2000))
		var hole *spool.ErrHole
		var epoch *spool.ErrEpoch
		if errors.As(err, &hole) || errors.As(err, &epoch) {
			return fmt.Errorf("%s: acknowledged up to %d, then: %w", s.source, acked, err)
		}
		select {
		case <-left.Done():
		case <-pause.C:
		}
	}
	return fmt.Errorf("%s: %d lines, acknowledged up to %d when time was up", s.source, len(s.lines), s.acked.Load())
}

// send sends the units [first, last) in batches whose boundaries are others each time; it may begin before first, as
// an agent does that lost its own notes.
func (s *sender) send(ctx context.Context, first, last uint64) error {
	first -= min(first, uint64(s.r.IntN(4)))
	var list []*event.Batch
	for first < last {
		end := min(last, first+1+uint64(s.r.IntN(200)))
		list = append(list, s.batch(first, end))
		first = end
	}
	acks, err := s.client.Send(ctx, list...)
	for _, a := range acks {
		if a.Source == s.source && a.Last > s.acked.Load() {
			s.acked.Store(a.Last)
		}
	}
	if err == nil {
		s.answers.Add(1)
	}
	return err
}

func (s *sender) batch(first, last uint64) *event.Batch {
	b := event.NewBuilder(s.source, 1)
	for u := first; u < last; u++ {
		l := s.lines[u]
		b.Begin(u, 0)
		b.Time(event.EventCreated, l.at)
		b.Str(event.EventOriginal, l.line)
		b.IP(event.ObserverIP, netip.MustParseAddr(l.from.addr))
		b.Str(event.HaidangSite, "dc1")
		b.Str(event.HaidangFormat, "syslog")
		b.End()
	}
	return b.Batch(first, last)
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// say adds a line. One host after another is left out for a while, so that it falls silent.
func (s *sender) say() {
	now := s.clock.Wall()
	quiet := int(now / int64(60*time.Second) % int64(len(hosts)))
	h := hosts[s.r.IntN(len(hosts))]
	if h == hosts[quiet] {
		h = hosts[(quiet+1)%len(hosts)]
	}
	s.pid++
	at := time.Unix(0, now).In(time.FixedZone("+07", 7*3600))
	s.lines = append(s.lines, said{line: s.text(h, at), from: h, at: now})
}

func (s *sender) text(h host, at time.Time) string {
	r := s.r
	attacker := fmt.Sprintf("198.51.100.%d", 70+r.IntN(8))
	head := func(priority int) string { return fmt.Sprintf("<%d>%s %s ", priority, at.Format(time.Stamp), h.name) }
	switch r.IntN(12) {
	case 0, 1, 2:
		return head(86) + fmt.Sprintf("sshd[%d]: Failed password for %s from %s port %d ssh2", s.pid,
			pick(r, "root", "quantri", "nguyễn", "nguye\u0302\u0303n"), attacker, 40000+r.IntN(9000))
	case 3:
		if r.IntN(8) == 0 {
			return head(86) + fmt.Sprintf("sshd[%d]: Accepted password for dvc from %s port 41777 ssh2", s.pid, attacker)
		}
		return head(86) + fmt.Sprintf("sshd[%d]: Accepted publickey for quantri from 10.10.250.%d port 50022 ssh2: "+
			"ED25519 SHA256:kq3N0JYp7m1", s.pid, 10+r.IntN(5))
	case 4:
		return head(85) + "sudo: quantri : TTY=pts/0 ; PWD=/home/quantri ; USER=root ; COMMAND=/usr/bin/systemctl restart " +
			pick(r, "nginx", "sao-lưu", "sao-lu\u031bu")
	case 5:
		if r.IntN(12) == 0 {
			return head(86) + fmt.Sprintf("useradd[%d]: new user: name=hotro%d, UID=1017, GID=1017, home=/home/hotro, "+
				"shell=/bin/bash, from=/dev/pts/1", s.pid, r.IntN(9))
		}
		return head(78) + fmt.Sprintf("CRON[%d]: (root) CMD (/usr/local/bin/sao-luu --tăng-dần)", s.pid)
	case 6, 7, 8:
		return head(190) + fmt.Sprintf(`nginx: %s - - [%s] "GET /%s-%d HTTP/1.1" %d %d "-" "Mozilla/5.0"`, attacker,
			at.Format("02/Jan/2006:15:04:05 -0700"), pick(r, "thu-tuc", "h%E1%BB%93-s%C6%A1", "wp-login"), r.IntN(300),
			pick(r, 200, 200, 404, 403), 500+r.IntN(40000))
	case 9:
		return head(4) + fmt.Sprintf("kernel: [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=%s DST=%s LEN=40 PROTO=TCP SPT=4 DPT=%d",
			attacker, h.addr, 1+r.IntN(1000))
	case 10:
		return fmt.Sprintf(`<189>date=%s time=%s devname="fw-inet-01" devid="FG100F0000000001" logid="0000000013" `+
			`type="traffic" subtype="forward" level="notice" vd="root" srcip=%s srcport=%d dstip=%s dstport=23 proto=6 `+
			`action="deny" policyid=12 sentbyte=0 rcvdbyte=0`, at.Format(time.DateOnly), at.Format(time.TimeOnly), attacker,
			30000+r.IntN(30000), h.addr)
	}
	return head(30) + fmt.Sprintf("ứng-dụng[%d]: xử lý hồ sơ số %d xong", s.pid, r.IntN(1<<20))
}
