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
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/sockets"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/local"
)

const datagramYAML = `
data: data
http: {listen: "127.0.0.1:0"}
spool: {reserve: 1}
collectors:
  - syslog: {name: main, listen: "127.0.0.1:0"}
`

// TestKillDatagrams sends numbered lines over UDP, slowly enough for the kernel's buffer to hold what comes while no
// child runs, and kills the child ten times under its parent: the index has each line once.
func TestKillDatagrams(t *testing.T) {
	s := &dripper{every: 15 * time.Millisecond, yaml: datagramYAML, kind: "syslog", datagram: func(n uint64) []byte {
		return fmt.Appendf(nil, "<30>%s dvc-web-01 nhỏ-giọt[1]: giọt số %d hết", time.Now().Format(time.Stamp), n)
	}}
	s.throughKills(t, 10, func(e event.Event) (string, bool) {
		_, rest, ok := strings.Cut(e.Text(event.EventOriginal), "giọt số ")
		number, _, _ := strings.Cut(rest, " ")
		return number, ok
	})
}

// dripper sends a datagram now and then.
type dripper struct {
	every      time.Duration
	yaml, kind string // of what it sends to: a listener named main
	datagram   func(n uint64) []byte
	due        func(sent uint64) uint64 // how many of those sent can be in the index; nil means all
	sent       atomic.Uint64
}

// throughKills sends while the child is killed, and compares what is in the index, where number knows what was sent.
func (s *dripper) throughKills(t *testing.T, kills int, number func(event.Event) (string, bool)) {
	dir := configure(t, s.yaml)
	seed := seed(t)
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	server := underParent(ctx, t, dir)

	dripping, dry := context.WithCancel(ctx)
	defer dry()
	dripped := make(chan error, 1)
	go func() { dripped <- s.run(dripping, address(t, server.held)) }()
	r := rand.New(rand.NewPCG(seed, 1001))
	client := newSender(dir, 0, seed, clock{}).client.HTTP
	pid, adopted := 0, 0.0
	for life := range kills {
		pid = nextChild(ctx, t, dir, pid)
		if life%5 != 4 { // else it is killed while it starts
			adopted += listening(ctx, t, client, s.kind)
		}
		s.await(ctx, s.sent.Load()+1+r.Uint64N(40))
		if r.IntN(2) == 0 { // while it has the datagram, perhaps
			spin(time.Duration(r.Int64N(int64(4 * time.Millisecond))))
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatalf("life %d: the server ended by itself: %v", life, err)
		}
	}
	nextChild(ctx, t, dir, pid)
	adopted += listening(ctx, t, client, s.kind)
	t.Logf("%v datagrams had been read and were adopted by a later child", adopted)
	dry()
	if err := <-dripped; err != nil {
		t.Fatal(err)
	}
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	// What was read at the stop is in the spool; another life indexes it.
	last := start(t, dir, clock{})
	caughtUp(ctx, t, client)
	if err := last.end(); err != nil {
		t.Fatal(err)
	}
	s.check(ctx, t, server.cfg, number)
}

// address is where the socket is bound that the configuration wants at port 0.
func address(t *testing.T, held *sockets.Set) string {
	t.Helper()
	_, p, err := held.Listen(t.Context(), "udp", "127.0.0.1:0")
	if err != nil || p == nil {
		t.Fatal("no UDP socket: ", err)
	}
	defer p.Close()
	return p.LocalAddr().String()
}

// nextChild waits until there is another child than the one before.
func nextChild(ctx context.Context, t *testing.T, dir string, before int) int {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for ctx.Err() == nil {
		data, _ := os.ReadFile(filepath.Join(dir, "pid"))
		if pid, err := strconv.Atoi(string(data)); err == nil && pid != before {
			return pid
		}
		<-poll.C
	}
	t.Fatal("no further child was started")
	return 0
}

// listening waits until the child has taken a datagram, and returns how many it adopted.
func listening(ctx context.Context, t *testing.T, client *http.Client, kind string) (adopted float64) {
	labels := fmt.Sprintf(`{kind=%q,listener="main"}`, kind)
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for ctx.Err() == nil {
		m, err := metrics(ctx, client)
		if err == nil && m["haidang_listener_accepted_total"+labels] > 0 {
			return m["haidang_listener_adopted_total"+labels]
		}
		<-poll.C
	}
	t.Fatal("the server took no datagram")
	return 0
}

func (s *dripper) run(ctx context.Context, to string) error {
	conn, err := net.Dial("udp", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for ctx.Err() == nil {
		n := s.sent.Load()
		switch _, err := conn.Write(s.datagram(n)); {
		case errors.Is(err, syscall.ECONNREFUSED): // nobody listens: it would be lost, so the socket was not held
			return err
		case err != nil:
			return err
		}
		s.sent.Store(n + 1)
		<-tick.C
	}
	return nil
}

// await waits until so many were sent.
func (s *dripper) await(ctx context.Context, n uint64) {
	poll := time.NewTicker(50 * time.Microsecond)
	defer poll.Stop()
	for ctx.Err() == nil && s.sent.Load() < n {
		<-poll.C
	}
}

// spin passes some time.
func spin(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(10 * time.Microsecond)
	}
}

// check counts what is in the index.
func (s *dripper) check(ctx context.Context, t *testing.T, cfg *config.Config,
	number func(event.Event) (string, bool)) {
	t.Helper()
	index, err := local.Open(local.Config{Dir: filepath.Join(cfg.Data, "store"), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	got := map[uint64]int{}
	for e, err := range index.Events(ctx, store.NewQuery(access.Everything(), nil, time.Time{}, time.Time{})) {
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := number(e); ok {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			got[n]++
		} else if e.Text(event.EventAction) == "messages-dropped" {
			t.Logf("reported: %s", e.Text(event.Message))
		}
	}
	lost, doubled := 0, 0
	due := s.sent.Load()
	if s.due != nil {
		due = s.due(due)
	}
	for n := range due {
		switch got[n] {
		case 1:
		case 0:
			lost++
			t.Errorf("datagram %d is lost", n)
		default:
			doubled++
			t.Errorf("datagram %d is there %d times", n, got[n])
		}
	}
	t.Logf("%d datagrams sent, %d lost, %d doubled", s.sent.Load(), lost, doubled)
}
