// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
)

// message is what a socket gave.
type message struct {
	raw    []byte
	at     int64 // when it was read, unix nanoseconds
	peer   netip.Addr
	client string // the subject of the client's certificate
	cut    bool
}

// gather makes batches of the messages of all sockets of a listener. Messages get their numbers in the order in which
// they come in here; the batches are written in that order, one at a time, since the spool refuses a hole.
type gather struct {
	cfg   *Config
	n     *counters
	epoch uint64
	// inflight has every message until it is safe; nil where that cannot be.
	inflight *socket.Inflight

	wake chan struct{} // there is something to take

	mu      sync.Mutex
	room    sync.Cond // on mu: the queue has shrunk, or closed
	open    *event.Builder
	next    uint64    // the number of the next message
	since   time.Time // when the first event of the open batch came in
	reports int       // events of the open batch that are our own
	sealed  []sealed
	pending int  // bytes of the sealed ones
	closed  bool // no further messages will come
	lost    bool // the Writer's time is up: take nothing any more
	drops   map[string]uint64
}

// sealed is a batch that waits for the Writer, with its bytes in memory and the number of its messages.
type sealed struct {
	batch          *event.Batch
	size, messages int
}

func newGather(cfg *Config, n *counters, epoch uint64) *gather {
	g := &gather{cfg: cfg, n: n, epoch: epoch, wake: make(chan struct{}, 1), open: event.NewBuilder(cfg.Source(), epoch),
		drops: map[string]uint64{}}
	g.room.L = &g.mu
	return g
}

// offer takes datagrams; those that find no room are counted as lost.
func (g *gather) offer(list []socket.Datagram) {
	g.mu.Lock()
	defer g.mu.Unlock()
	dropped := uint64(0)
	for i := range list {
		m := message{raw: list[i].Data, at: list[i].At, peer: list[i].From.Addr(), cut: list[i].Cut}
		switch {
		case g.lost:
			g.leave(&m, &list[i])
		case g.pending+g.open.Size() >= g.cfg.QueueBytes:
			dropped++
			g.count(&m)
		default:
			g.add(&m, &list[i])
		}
		list[i].Taken()
	}
	if dropped > 0 {
		g.drops[dropQueue] += dropped
		g.n.drop(dropQueue, dropped)
	}
}

// put takes a message of a stream and waits while there is no room. It reports false when the message is lost, which
// it only is after a stop that the Writer did not follow in time, where it cannot wait for the next start.
func (g *gather) put(m *message) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.lost && g.pending+g.open.Size() >= g.cfg.QueueBytes/2 {
		g.room.Wait()
	}
	if g.lost {
		return g.leave(m, nil)
	}
	g.add(m, nil)
	return true
}

// leave takes a message that the Writer has no time for any more: it waits for the next start, or is lost. mu is held.
func (g *gather) leave(m *message, d *socket.Datagram) bool {
	g.count(m)
	ok := g.keep(m, d)
	g.next++
	if !ok {
		g.n.drop(dropStop, 1)
	}
	return ok
}

// keep makes the next message outlive the process. mu is held.
func (g *gather) keep(m *message, d *socket.Datagram) bool {
	k := socket.Kept{Epoch: g.epoch, Unit: g.next, At: m.at, Peer: m.peer, Cut: m.cut, Client: m.client, Data: m.raw}
	return g.inflight.Keep(&k, d)
}

// count counts a message that was read.
func (g *gather) count(m *message) {
	g.n.received.Add(1)
	g.n.bytes.Add(uint64(len(m.raw)))
	if m.cut {
		g.n.truncated.Add(1)
	}
}

// add makes an event of a message; d is the datagram it came in, or nil. mu is held.
func (g *gather) add(m *message, d *socket.Datagram) {
	if m.raw = trimEnd(m.raw); len(m.raw) == 0 {
		return // an empty message says nothing: there is nothing to keep
	}
	g.count(m)
	if !g.keep(m, d) {
		g.n.unprotected.Add(1)
	}
	g.build(g.open, g.next, m)
	g.end()
}

// build makes the event of a message, and leaves it open.
func (g *gather) build(b *event.Builder, unit uint64, m *message) {
	b.Begin(unit, 0)
	b.Time(event.EventCreated, m.at)
	b.Bytes(event.EventOriginal, m.raw)
	b.IP(event.ObserverIP, m.peer)
	b.Str(event.TLSClientSubject, m.client)
	b.Str(event.HaidangSite, g.cfg.Site)
	b.Str(event.HaidangListener, g.cfg.Name)
	b.Str(event.HaidangFormat, "syslog")
	if m.cut {
		b.Bool(event.HaidangTruncated, true)
	}
}

// end ends the event being built and seals the batch if it is full. mu is held.
func (g *gather) end() {
	g.open.End()
	g.next++
	if g.open.Len() == 1 {
		g.since = time.Now()
		g.signal()
	}
	if g.open.Len() >= g.cfg.MaxEvents || g.open.Size() >= batchBytes {
		g.seal()
		g.signal()
	}
}

func (g *gather) signal() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// seal closes the open batch and begins the next. mu is held.
func (g *gather) seal() {
	n := uint64(g.open.Len())
	if n == 0 {
		return
	}
	size := g.open.Size()
	batch := g.open.Batch(g.next-n, g.next)
	g.sealed = append(g.sealed, sealed{batch: batch, size: size, messages: int(n) - g.reports})
	g.pending += size
	g.reports = 0
	g.open.Reset(batch.Source(), batch.Epoch())
}

// report adds an event for each reason for which messages were lost since the last call, and one for connections that
// broke. It does not wait for room: an event a second is not what fills the queue.
func (g *gather) report(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	resets := g.n.resets.Load()
	if last := g.n.reportedConnResets.Swap(resets); resets > last {
		g.drop(now, "reset", 0, fmt.Sprintf("%d connections to listener %s broke; what they had under way is lost",
			resets-last, g.cfg.Name))
	}
	for reason, count := range g.drops {
		g.drop(now, reason, count, fmt.Sprintf("listener %s lost %d datagrams: the %s buffer was full", g.cfg.Name,
			count, reason))
		delete(g.drops, reason)
	}
}

// drop adds an event that tells of a loss; a count of 0 is not known. mu is held.
func (g *gather) drop(now time.Time, reason string, count uint64, text string) {
	if g.lost {
		return
	}
	b := g.open
	b.Begin(g.next, 0)
	b.Time(event.Timestamp, now.UnixNano())
	b.Time(event.EventCreated, now.UnixNano())
	b.Str(event.Message, text)
	b.Str(event.EventAction, "messages-dropped")
	b.Str(event.EventDataset, "haidang.listener")
	b.Str(event.EventKind, "pipeline_error")
	b.Str(event.EventModule, "haidang")
	b.Str(event.HaidangSite, g.cfg.Site)
	b.Str(event.HaidangListener, g.cfg.Name)
	if count > 0 {
		b.Int(event.HaidangDropCount, int64(count))
	}
	b.Str(event.HaidangDropReason, reason)
	g.reports++
	g.end()
}

// kernelDrops notes datagrams that the kernel could not keep.
func (g *gather) kernelDrops(n uint64) {
	if n == 0 {
		return
	}
	g.n.drop(dropKernel, n)
	g.mu.Lock()
	g.drops[dropKernel] += n
	g.mu.Unlock()
}

// close says that no further message will come.
func (g *gather) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.signal()
}

// abandon ends every wait: the Writer's time is up.
func (g *gather) abandon() {
	g.mu.Lock()
	g.lost = true
	g.mu.Unlock()
	g.room.Broadcast()
}

// take returns the oldest batch: a full one, else what has come in when MaxWait has passed since the first of it. It
// stays in the queue until done. nil means that everything was taken and nothing will come, or that ctx is done.
func (g *gather) take(ctx context.Context) *event.Batch {
	for {
		g.mu.Lock()
		wait := time.Duration(-1)
		if len(g.sealed) == 0 && g.open.Len() > 0 {
			if wait = g.cfg.MaxWait - time.Since(g.since); wait <= 0 || g.closed {
				g.seal()
			}
		}
		var batch *event.Batch
		if len(g.sealed) > 0 {
			batch = g.sealed[0].batch
		}
		closed := g.closed
		g.mu.Unlock()
		if batch != nil || closed {
			return batch
		}
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-g.wake:
		case <-due:
		case <-ctx.Done():
			return nil
		}
	}
}

// done removes the batch that take returned, once the Writer has it.
func (g *gather) done() {
	g.mu.Lock()
	head := g.sealed[0]
	g.pending -= head.size
	g.inflight.Release(head.batch.Epoch(), head.batch.Last())
	g.sealed[0] = sealed{}
	if g.sealed = g.sealed[1:]; len(g.sealed) == 0 {
		g.sealed = nil
	}
	g.mu.Unlock()
	g.room.Broadcast()
	g.n.batches.Add(1)
	g.n.accepted.Add(uint64(head.messages))
}

// left is the number of messages that the Writer did not take.
func (g *gather) left() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.open.Len() - g.reports
	for _, s := range g.sealed {
		n += s.messages
	}
	return n
}

// trimEnd cuts CR, LF and NUL from the end of a message, but leaves the zero half of a last character of UTF-16.
func trimEnd(s []byte) []byte {
	for len(s) > 0 {
		switch n := len(s); {
		case s[n-1] == '\n' || s[n-1] == '\r':
		case s[n-1] == 0 && (n < 3 || s[n-3] != 0 || s[n-2] == 0):
		default:
			return s
		}
		s = s[:len(s)-1]
	}
	return s
}
