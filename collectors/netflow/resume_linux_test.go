// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
)

// ledger is a Writer that knows what was written, as the spool does; it is of one source.
type ledger struct {
	t     *testing.T
	spans map[uint64][2]uint64
	last  uint64 // epoch
	times map[int64]int
}

func (l *ledger) Write(_ context.Context, b *event.Batch) error {
	s, some := l.spans[b.Epoch()]
	switch {
	case b.First() >= b.Last():
		l.t.Fatalf("range [%d, %d)", b.First(), b.Last())
	case b.Epoch() < l.last && (!some || b.First() < s[0] || b.Last() > s[1]):
		return fmt.Errorf("epoch %d after %d: %w", b.Epoch(), l.last, event.ErrRefused)
	case b.Epoch() < l.last || some && b.Last() <= s[1]:
		return nil
	case some && b.First() > s[1] || some && b.First() < s[0]:
		l.t.Fatalf("epoch %d: [%d, %d) after [%d, %d)", b.Epoch(), b.First(), b.Last(), s[0], s[1])
	case some:
		b = b.Cut(s[1])
	default:
		s[0] = b.First()
	}
	l.last, l.spans[b.Epoch()] = b.Epoch(), [2]uint64{s[0], b.Last()}
	for e := range b.Events() {
		if v, ok := e.Get(event.SourcePackets); ok && v.Int() == 7 {
			n, _ := e.Get(event.SourceBytes)
			l.times[n.Int()]++
		}
	}
	return nil
}

// TestResume ends runs at any moment, between any two steps of theirs, with templates that are late, withdrawn and
// defined anew: each flow is written once, and with the template that it was sent with.
func TestResume(t *testing.T) {
	for seed := range uint64(6) {
		l := &life{t: t, r: rand.New(rand.NewPCG(seed, 5)), dir: t.TempDir(), known: map[uint16]bool{},
			swapped: map[uint16]bool{}}
		l.out = &ledger{t: t, spans: map[uint64][2]uint64{}, times: map[int64]int{}}
		for range 12 {
			l.begin()
			for range l.r.IntN(60) {
				l.step()
			}
		}
		l.begin()
		for id := range uint16(6) {
			l.send(template(256+id, l.swapped[256+id]))
		}
		l.flush()
		for n := range l.sent {
			if l.out.times[int64(n)+1] != 1 {
				t.Errorf("seed %d: flow %d was written %d times", seed, n, l.out.times[int64(n)+1])
			}
		}
		if len(l.out.times) != int(l.sent) || l.adopted == 0 {
			t.Errorf("seed %d: %d flows sent, %d written; %d adopted", seed, l.sent, len(l.out.times), l.adopted)
		}
	}
}

// life is a sender and, one after the other, the runs that it sends to.
type life struct {
	t              *testing.T
	r              *rand.Rand
	dir            string
	q              *queue
	out            *ledger
	sent           uint32 // flows
	seq            uint32
	known, swapped map[uint16]bool
	epoch, adopted uint64
}

// begin starts a run; the one before is as if killed.
func (l *life) begin() {
	l.epoch++
	cfg := &Config{Name: "nf", StateDir: l.dir, QueueBytes: 64 << 20}
	n := &counters{}
	l.q = newQueue(cfg, n, l.epoch)
	f, kept, err := socket.OpenInflight(cfg.file("inflight"), l.epoch, 1, 2048)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = f.Close() })
	l.q.inflight = f
	l.q.resume(kept)
	l.adopted += n.adopted.Load()
}

func (l *life) send(sets ...[]byte) {
	g := socket.Datagram{Data: v9(l.seq, sets...), At: 1, From: netip.MustParseAddrPort("192.0.2.1:2055")}
	l.seq++
	l.q.offer([]socket.Datagram{g})
}

// step is what may happen in a run.
func (l *life) step() {
	id := 256 + uint16(l.r.IntN(6))
	switch l.r.IntN(20) {
	case 0, 10: // defined anew, but only where nothing waits
		if l.known[id] {
			l.swapped[id] = l.r.IntN(2) == 0
		}
		l.known[id] = true
		l.send(template(id, l.swapped[id]))
	case 1, 11:
		l.send(template(id, l.swapped[id]), l.flow(id), l.flow(id))
		l.known[id] = true
	case 2:
		l.known[id] = false
		l.send(set(0, id, 0)) // withdrawn
	case 3, 13, 14:
		l.q.mu.Lock()
		l.q.seal()
		l.q.mu.Unlock()
	case 4: // written, and killed perhaps before it is noted
		l.q.mu.Lock()
		if len(l.q.sealed) > 0 {
			b := l.q.sealed[0].Batch
			l.q.mu.Unlock()
			_ = l.out.Write(context.Background(), b)
			return
		}
		l.q.mu.Unlock()
	case 5, 6, 15:
		l.write()
	case 7:
		l.q.mu.Lock()
		l.q.state.rest = time.Time{}
		l.q.mu.Unlock()
		l.q.save()
	case 8: // killed after the state was written and before what it has was forgotten
		file := filepath.Join(l.dir, "nf.inflight")
		before, err := os.ReadFile(file)
		if err != nil {
			l.t.Fatal(err)
		}
		l.q.save()
		if err := os.WriteFile(file+".copy", before, 0o600); err != nil {
			l.t.Fatal(err)
		}
		if err := os.Rename(file+".copy", file); err != nil {
			l.t.Fatal(err)
		}
		l.begin()
	case 9:
		l.q.tick(time.Unix(1, 0), 0)
	default:
		l.send(l.flow(id))
	}
}

func (l *life) flow(id uint16) []byte {
	l.sent++
	return data(id, l.swapped[id], l.sent)
}

// write writes the oldest batch.
func (l *life) write() bool {
	l.q.mu.Lock()
	if len(l.q.sealed) == 0 {
		l.q.mu.Unlock()
		return false
	}
	b := l.q.sealed[0].Batch
	l.q.mu.Unlock()
	if err := l.out.Write(context.Background(), b); err != nil {
		l.t.Fatal(err)
	}
	l.q.done()
	return true
}

func (l *life) flush() {
	l.q.mu.Lock()
	l.q.seal()
	l.q.mu.Unlock()
	for l.write() {
	}
}
