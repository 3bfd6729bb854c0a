// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/collectors/netflow/flow"
	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
)

const (
	batchBytes = 512 << 10            // an encoded batch is 1 MiB at most
	batchWait  = 5 * time.Millisecond // that a flow waits for others
)

// queue decodes datagrams into batches that wait for the Writer. A datagram is a unit of the range; one whose flows
// find no room is counted as lost. The decoder sees every datagram all the same, so that no template is missed.
type queue struct {
	cfg  *Config
	n    *counters
	wake chan struct{}

	mu      sync.Mutex
	decoder *flow.Decoder
	open    *event.Builder
	epoch   uint64 // of the open batch
	own     uint64 // epoch of this run
	first   uint64 // unit of the open batch
	next    uint64 // unit of the next datagram
	since   time.Time
	sealed  []batch
	pending int
	closed  bool
	losses  []flow.Loss
	drops   uint64                  // of the queue, not reported yet
	failed  map[flow.Reason]failure // undecodable datagrams, not reported yet

	inflight *socket.Inflight // has the datagrams from the one on that replay begins with; nil where that cannot be
	state    state
}

// failure is how often a reason was met since the last report, and the last one that met it.
type failure struct {
	count uint64
	last  *flow.Error
}

type batch struct {
	*event.Batch
	size      int
	datagrams uint64
}

func newQueue(cfg *Config, n *counters, epoch uint64) *queue {
	q := &queue{cfg: cfg, n: n, wake: make(chan struct{}, 1), open: event.NewBuilder(cfg.Source(), epoch),
		epoch: epoch, own: epoch, failed: map[flow.Reason]failure{}, state: state{due: make(chan struct{}, 1)}}
	q.decoder = q.newDecoder()
	return q
}

func (q *queue) newDecoder() *flow.Decoder {
	return flow.NewDecoder(func(l flow.Loss) { q.losses = append(q.losses, l) })
}

// read reads the socket to its end.
func (q *queue) read(udp *socket.UDP) error {
	for list, err := range udp.All() {
		if err != nil {
			return err
		}
		q.offer(list)
	}
	return nil
}

// offer takes datagrams.
func (q *queue) offer(list []socket.Datagram) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range list {
		q.datagram(&list[i])
	}
	q.published()
}

// datagram takes one that was read. mu is held.
func (q *queue) datagram(g *socket.Datagram) {
	full := q.pending+q.open.Size() >= q.cfg.QueueBytes
	k := socket.Kept{Epoch: q.epoch, Unit: q.next, At: g.At, Peer: g.From.Addr(), Cut: g.Cut, Data: g.Data}
	if !full && !q.inflight.Keep(&k, g) {
		q.n.unprotected.Add(1)
	}
	q.decode(&k, full)
	g.Taken()
}

// decode makes a unit of a datagram, unless the queue is full. mu is held.
func (q *queue) decode(k *socket.Kept, full bool) {
	q.n.received.Add(1)
	q.n.bytes.Add(uint64(len(k.Data)))
	index := 0
	err := q.decoder.Decode(k.Peer, k.Data, k.At, func(f *flow.Flow) {
		if full || index > maxIndex {
			return
		}
		q.open.Begin(q.next, uint16(index))
		put(q.open, f, k.At)
		q.label()
		q.open.End()
		index++
	})
	q.changed()
	if full {
		q.n.queue.Add(1)
		q.drops++
		return
	}
	var failed *flow.Error
	if errors.As(err, &failed) {
		q.failed[failed.Reason] = failure{q.failed[failed.Reason].count + 1, failed}
	}
	q.advance()
}

// label says where the event came in. mu is held.
func (q *queue) label() {
	q.open.Str(event.HaidangListener, q.cfg.Name)
	q.open.Str(event.HaidangSite, q.cfg.Site)
}

// advance ends a unit. mu is held.
func (q *queue) advance() {
	q.next++
	if q.next == q.first+1 {
		q.since = time.Now()
	}
	if q.open.Size() >= batchBytes {
		q.seal()
	}
}

// seal closes the open batch. mu is held.
func (q *queue) seal() {
	if q.next == q.first {
		return
	}
	b := batch{q.open.Batch(q.first, q.next), q.open.Size(), q.next - q.first}
	q.sealed = append(q.sealed, b)
	q.pending += b.size
	q.begin(q.epoch, q.next)
	q.capture(time.Now())
}

// begin begins a batch at a unit. mu is held.
func (q *queue) begin(epoch, unit uint64) {
	q.open.Reset(q.cfg.Source(), epoch)
	q.epoch, q.first, q.next = epoch, unit, unit
}

// published lets the writer and Stats see what happened. mu is held.
func (q *queue) published() {
	q.n.mu.Lock()
	q.n.decoder = q.decoder.Stats()
	q.n.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// tick settles sequence gaps and reports what was lost, as events of their own.
func (q *queue) tick(now time.Time, kernel uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.decoder.Tick(now.UnixNano())
	q.changed()
	q.n.kernel.Add(kernel)
	if kernel > 0 {
		q.report(now, "kernel", kernel, fmt.Sprintf("listener %s lost %d datagrams: the kernel buffer was full",
			q.cfg.Name, kernel), nil)
	}
	if q.drops > 0 {
		q.report(now, "queue", q.drops, fmt.Sprintf("listener %s lost %d datagrams: the queue buffer was full",
			q.cfg.Name, q.drops), nil)
		q.drops = 0
	}
	for i := range q.losses {
		l := &q.losses[i]
		q.report(now, "sequence_gap", l.Count, lossError(*l).Error(), l)
	}
	q.losses = q.losses[:0]
	// One event a second and reason, however many there were: a flood of bad datagrams is no flood of events.
	for reason := range flow.Reasons {
		if f, ok := q.failed[reason]; ok {
			q.report(now, reason.String(), f.count, f.last.Error(), &flow.Loss{Exporter: f.last.Exporter})
			delete(q.failed, reason)
		}
	}
	q.published()
}

// report adds an event that tells of a loss. mu is held.
func (q *queue) report(now time.Time, reason string, count uint64, text string, l *flow.Loss) {
	b := q.open
	b.Begin(q.next, 0)
	b.Time(event.Timestamp, now.UnixNano())
	b.Time(event.EventCreated, now.UnixNano())
	b.Str(event.Message, text)
	b.Str(event.EventAction, "messages-dropped")
	b.Str(event.EventDataset, "haidang.listener")
	b.Str(event.EventKind, "pipeline_error")
	b.Str(event.EventModule, "haidang")
	b.Int(event.HaidangDropCount, counter(count))
	b.Str(event.HaidangDropReason, reason)
	if l != nil {
		b.IP(event.ObserverIP, l.Exporter)
		b.Int(event.HaidangFlowDomain, int64(l.Domain))
	}
	q.label()
	b.End()
	q.advance()
}

// close says that no further datagram will come.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	n := q.decoder.Stats()
	q.published()
	q.mu.Unlock()
	q.n.mu.Lock()
	defer q.n.mu.Unlock()
	q.n.base = sum(q.n.base, n)
	q.n.decoder = flow.Stats{}
}

func sum(a, b flow.Stats) flow.Stats {
	a.Flows, a.Options, a.Templates = a.Flows+b.Flows, a.Options+b.Options, a.Templates+b.Templates
	a.Lost, a.Late, a.Restarts = a.Lost+b.Lost, a.Late+b.Late, a.Restarts+b.Restarts
	for r := range flow.Reasons {
		a.Failed[r] += b.Failed[r]
	}
	return a
}

// take returns the oldest batch, nil when everything was taken and nothing will come, or ctx is done.
func (q *queue) take(ctx context.Context) *event.Batch {
	for {
		q.mu.Lock()
		wait := time.Duration(-1)
		if len(q.sealed) == 0 && q.next > q.first {
			if wait = batchWait - time.Since(q.since); wait <= 0 || q.closed {
				q.seal()
			}
		}
		var b *event.Batch
		if len(q.sealed) > 0 {
			b = q.sealed[0].Batch
		}
		closed := q.closed
		q.mu.Unlock()
		if b != nil || closed {
			return b
		}
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-q.wake:
		case <-due:
		case <-ctx.Done():
			return nil
		}
	}
}

// done removes the batch that take returned.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending -= q.sealed[0].size
	q.n.accepted.Add(q.sealed[0].datagrams)
	q.sealed[0] = batch{}
	q.sealed = q.sealed[1:]
	q.release()
}

// write hands batch after batch to out until the queue is closed and empty. A refused batch is written again, the same
// range, until it is taken; after the run's end out has Config.Drain to take the rest.
func (q *queue) write(run context.Context, out event.Writer) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(run))
	defer cancel()
	defer context.AfterFunc(run, func() { time.AfterFunc(q.cfg.Drain, cancel) })()
	var last error
	for {
		b := q.take(ctx)
		if b == nil {
			break
		}
		last = q.insist(ctx, out, b)
		if stale := b.Epoch() != q.own && errors.Is(last, event.ErrRefused); stale {
			q.n.stale.Add(b.Last() - b.First()) // the spool is not the one that the datagrams were read for
			last = nil
		}
		if last != nil {
			break
		}
		q.done()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.next - q.first
	for _, b := range q.sealed {
		left += b.datagrams
	}
	if left == 0 {
		return nil
	}
	wait := min(uint64(q.inflight.Len()), left)
	q.n.stop.Add(left - wait)
	return fmt.Errorf("netflow: listener %s: writing what was read before the stop: %d datagrams wait for the next "+
		"start, %d are lost: %w", q.cfg.Name, wait, left-wait, errors.Join(ctx.Err(), last))
}

func (q *queue) insist(ctx context.Context, out event.Writer, b *event.Batch) error {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := out.Write(ctx, b)
		if err == nil {
			return nil
		}
		q.n.writeErrors.Add(1)
		if b.Epoch() != q.own && errors.Is(err, event.ErrRefused) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
