// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app/sockets"
)

const hostileYAML = `
data: data
http: {listen: "127.0.0.9:0"}
relays: [127.0.0.0/8]
spool: {reserve: 1}
store: {reserve: 1, memory: 134217728}
collectors:
  - syslog: {name: honest, listen: "127.0.0.1:0", protocol: tcp}
  - syslog: {name: junk, listen: "127.0.0.2:0", protocol: tcp}
  - syslog: {name: tls, listen: "127.0.0.3:0", protocol: tls, certificate: cert.pem, key: key.pem}
  - netflow: {name: flows, listen: "127.0.0.4:0"}
`

// hostileBound is what the server's memory may reach, in bytes: caches of the index 128 MiB, queues of four listeners
// 64 MiB each, incomplete lines 64 MiB a listener, requests 64 of 16 MiB while they are read, templates 64 MiB, and
// what the collector of garbage leaves for as much again.
const hostileBound = 2 << 30

// TestPeerHostile plays everybody who means no good to one running server, while an honest sender goes on: its lines
// are taken as fast as in a calm moment of the same test, but for a tenth; memory keeps to its bound; and what was
// refused is counted by reason.
func TestPeerHostile(t *testing.T) {
	h := newHostile(t)
	best := 0.0
	for attempt := range 3 { // a loaded machine may disturb one or two comparisons
		calm := h.honest(t)
		stop := h.attack(t, attempt == 0)
		under := h.honest(t)
		stop()
		share := calm.Seconds() / under.Seconds()
		t.Logf("attempt %d: %d lines safe in %v, under attack in %v: %.1f %%", attempt, honestLines,
			calm.Round(time.Millisecond), under.Round(time.Millisecond), 100*share)
		if best = max(best, share); best >= 0.9 {
			break
		}
	}
	if best < 0.9 {
		t.Errorf("the honest sender's throughput fell to %.1f %%", 100*best)
	}
	h.refusals(t)
	h.alive(t)
}

// hostile is a server under a parent, and those who speak to it.
type hostile struct {
	ctx     context.Context
	dir     string
	held    *sockets.Set
	client  *http.Client
	pid     int
	idle    int // connections that are held
	bombs   atomic.Int64
	large   atomic.Int64
	stalled int
	line    int // of the honest sender
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	dir := configure(t, hostileYAML)
	certificate(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	t.Cleanup(cancel)
	h := &hostile{ctx: ctx, dir: dir, held: underParent(ctx, t, dir).held, client: newSender(dir, 0, 1, clock{}).client.HTTP}
	h.pid = nextChild(ctx, t, dir, 0)
	h.wait(t, "the server", func() bool { return h.count("haidang_uptime_seconds") > 0 })
	return h
}

// count sums the metrics whose name and labels have all the parts; -1 where they cannot be read.
func (h *hostile) count(name string, labels ...string) (n float64) {
	m, err := metrics(h.ctx, h.client)
	if err != nil {
		return -1
	}
next:
	for key, v := range m {
		if base, _, _ := strings.Cut(key, "{"); base != name {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(key, l) {
				continue next
			}
		}
		n += v
	}
	return n
}

func (h *hostile) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-h.ctx.Done():
			m, err := metrics(context.WithoutCancel(h.ctx), h.client)
			t.Fatalf("%s: it did not come: %v %v", what, err, m)
		}
	}
}

// dial connects to the socket of a listener.
func (h *hostile) dial(t *testing.T, address string) net.Conn {
	t.Helper()
	l, _, err := h.held.Listen(h.ctx, "tcp", address)
	if err != nil || l == nil {
		t.Fatal("no socket: ", err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

const (
	honestLines = 12_000
	honestBurst = 50 // lines at a time, every hundredth of a second
)

// honest sends lines at a steady rate and returns how long it took until the last one was safe.
func (h *hostile) honest(t *testing.T) time.Duration {
	t.Helper()
	conn := h.dial(t, "127.0.0.1:0")
	defer conn.Close()
	const name = "haidang_listener_accepted_total"
	base := h.count(name, `"honest"`)
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var buf []byte
	for sent := 0; sent < honestLines; sent += honestBurst {
		buf = buf[:0]
		for range honestBurst {
			h.line++
			buf = fmt.Appendf(buf, "<38>%s dvc-web-01 sshd[4711]: Failed password for nguyễn from 203.0.113.9 port %d ssh2\n",
				time.Now().Format(time.Stamp), h.line)
		}
		if _, err := conn.Write(buf); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	h.wait(t, "the honest lines", func() bool { return h.count(name, `"honest"`) >= base+honestLines })
	return time.Since(began)
}

// refusals checks that what was refused was counted for its reason.
func (h *hostile) refusals(t *testing.T) {
	t.Helper()
	h.wait(t, "the end of stalled handshakes", func() bool {
		return h.count("haidang_listener_connections_refused_total", `"tls"`, `"handshake"`) >= float64(h.stalled)
	})
	refused := "haidang_spool_requests_refused_total"
	for what, got := range map[string][2]float64{
		"bombs and values too large": {h.count(refused, `"too_large"`), float64(h.bombs.Load() + h.large.Load())},
		"templates without room":     {h.count("haidang_listener_undecoded_total", `"flows"`, `"too_many"`), 1},
		"lines cut":                  {h.count("haidang_listener_truncated_total", `"junk"`), 1},
		"origins beyond the limit":   {h.count("haidang_ledger_surplus_total"), 1},
	} {
		t.Logf("%s: %v", what, got[0])
		if got[0] < got[1] {
			t.Errorf("%s: %v counted, want at least %v", what, got[0], got[1])
		}
	}
	// One more: what all beyond the limit share.
	if n := h.count("haidang_ledger_origins"); n > 1<<16+1 || n < 1<<15 {
		t.Errorf("%v origins are kept", n)
	}
	if n := h.count("haidang_listener_dropped_total", `"honest"`); n != 0 {
		t.Errorf("%v honest lines were dropped", n)
	}
}

// alive checks that the server is the one that was started, and what memory it took.
func (h *hostile) alive(t *testing.T) {
	t.Helper()
	data, _ := os.ReadFile(filepath.Join(h.dir, "pid"))
	if string(data) != strconv.Itoa(h.pid) {
		t.Errorf("the server was restarted: it was %d, now %s", h.pid, data)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	peak, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("memory at most %d MiB of %d, with %d idle connections", peak>>10, hostileBound>>20, h.idle)
	if peak<<10 > hostileBound {
		t.Errorf("memory reached %d MiB, the bound is %d", peak>>10, hostileBound>>20)
	}
}
