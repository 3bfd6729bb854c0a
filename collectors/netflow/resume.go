// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"context"
	"os"
	"time"

	"github.com/haidang-soc/haidang/collectors"
	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/safefile"
)

// The decoder's state is saved as it was at a unit, once all before that unit is safe, and the file in flight has every
// datagram from there on: decoding them again, in order, gives each unit the flows that it had, so that none is lost
// and those that the Writer took are known to it. A data set that waited for its template is in the state until it is
// in a unit. Datagrams behind the unit may be forgotten as long as they changed nothing of the state.

// savePause is how long saving rests at least; it rests twenty times as long as it took.
const savePause = 100 * time.Millisecond

// position is a unit of an epoch.
type position struct{ epoch, unit uint64 }

func (p position) before(o position) bool {
	return p.epoch < o.epoch || p.epoch == o.epoch && p.unit < o.unit
}

// state is how far the file of the decoder's state is behind it.
type state struct {
	due     chan struct{} // there may be something to save
	seen    uint64        // of the decoder's changes
	dirty   bool
	since   position // the first unit with a change that neither the file nor the snapshot has
	pending *snapshot
	rest    time.Time // until when nothing is captured
}

// snapshot is a state that waits to be written.
type snapshot struct {
	at, since position // as it was before that unit; the first change that the file does not have
	data      []byte
}

// here is the next unit. mu is held.
func (q *queue) here() position { return position{q.epoch, q.next} }

// safe is the first unit that is not safe. mu is held.
func (q *queue) safe() position {
	if len(q.sealed) > 0 {
		return position{q.sealed[0].Epoch(), q.sealed[0].First()}
	}
	return position{q.epoch, q.first}
}

// changed notes whether the unit being made changed the decoder's state. mu is held.
func (q *queue) changed() {
	n := q.decoder.Changes()
	if n != q.state.seen && !q.state.dirty {
		q.state.dirty, q.state.since = true, q.here()
	}
	q.state.seen = n
}

// capture takes a snapshot if there is something to save; no batch is open. mu is held.
func (q *queue) capture(now time.Time) {
	s := &q.state
	if !s.dirty || s.pending != nil || now.Before(s.rest) {
		return
	}
	s.pending = &snapshot{at: q.here(), since: s.since, data: encodeState(q.here(), q.decoder)}
	s.dirty = false
}

// release forgets the datagrams that are safe and not needed for the state. mu is held.
func (q *queue) release() {
	p, s := q.safe(), &q.state
	switch {
	case s.pending != nil:
		if !p.before(s.pending.at) {
			select {
			case s.due <- struct{}{}:
			default:
			}
		}
		if s.pending.since.before(p) {
			p = s.pending.since
		}
	case s.dirty && s.since.before(p):
		p = s.since
	}
	q.inflight.Release(p.epoch, p.unit)
}

// saving saves the decoder's state until ctx is done.
func (q *queue) saving(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.state.due:
		case <-tick.C:
		}
		q.save()
	}
}

// finish saves the decoder's state as it is at the end.
func (q *queue) finish() {
	for range 2 {
		q.mu.Lock()
		q.state.rest = time.Time{}
		q.mu.Unlock()
		q.save()
	}
}

// save writes a snapshot once all before it is safe. One goroutine at a time.
func (q *queue) save() {
	q.mu.Lock()
	if q.first == q.next {
		q.capture(time.Now())
	}
	p := q.state.pending
	ready := p != nil && !q.safe().before(p.at)
	q.mu.Unlock()
	if !ready {
		return
	}
	began, file := time.Now(), q.cfg.file("templates")
	err := safefile.Write(file, p.data, 0o600)
	if err != nil {
		_ = os.Remove(file) // it is older than the datagrams that will be there
		q.n.unsaved.Add(1)
	}
	took := time.Since(began)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.state.pending, q.state.rest = nil, time.Now().Add(max(20*took, savePause))
	if err != nil { // it is tried again, and what is safe is not held for it
		q.state.dirty, q.state.since = true, q.here()
		q.state.rest = time.Now().Add(max(20*took, time.Second))
	}
	q.release()
}

// resume goes on where an earlier run was killed: it takes its state, and queues, before anything else, the datagrams
// that it had read. They keep their numbers: those that were stored all the same are known to the Writer.
func (q *queue) resume(kept []socket.Kept) {
	q.mu.Lock()
	defer q.mu.Unlock()
	saved := q.load()
	for i := range kept {
		k := &kept[i]
		if (position{k.Epoch, k.Unit}).before(saved) {
			continue // safe, and the state has it
		}
		if k.Epoch != q.epoch || k.Prev != q.next {
			q.seal()
			q.begin(k.Epoch, k.Prev)
		}
		q.next = k.Unit
		q.n.adopted.Add(1)
		if err := collectors.Guard(func() error { q.decode(k, false); return nil }); err != nil {
			q.open.Cancel() // what it was killed with, perhaps: it must not end this run too
			q.next = k.Unit + 1
		}
	}
	q.seal()
	if q.epoch != q.own {
		q.begin(q.own, 0)
	}
	q.published()
}

// load takes the state of an earlier run and returns its position. What waits for a template in it is of use only with
// the file in flight that belongs to it. mu is held.
func (q *queue) load() (at position) {
	data, err := os.ReadFile(q.cfg.file("templates"))
	if err != nil {
		return at
	}
	err = collectors.Guard(func() error {
		s, err := parseState(data)
		if err != nil {
			return err
		}
		boot, err := socket.Boot()
		ours := err == nil && boot == s.boot && q.inflight != nil && s.at.epoch < q.own
		if ours {
			at = s.at
		}
		q.state.dirty, q.state.since = !ours, q.here() // what waits in the file is void from now on
		return q.decoder.Restore(s.state, time.Now().UnixNano(), ours)
	})
	if err != nil {
		q.decoder, at = q.newDecoder(), position{}
	}
	q.state.seen = q.decoder.Changes()
	return at
}
