// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
)

// outbox is what one sink still has to send: letters in memory, every change of them first in the journal. The letters
// of one alert go out in order and one at a time. Safe for concurrent use.
type outbox struct {
	mu      sync.Mutex
	journal *journal
	cursor  uint64 // entries of the alert log up to here are dealt with
	skipped int    // entries since the cursor was last written
	seq     uint64 // of the last letter made
	waiting map[alert.ID]*queue
	dead    map[uint64]*item
	refs    map[alert.ID]ref // what the peer calls each alert
	damaged int              // lines that could not be read at opening
	lines   int              // in the journal
	base    int64            // size of the journal when it was last compacted, in bytes
	wake    chan struct{}    // closed and replaced when something may be ready
}

// queue holds the letters of one alert, oldest first.
type queue struct {
	items []*item
	busy  bool // one of them is being sent
}

// item is a letter and how far it is.
type item struct {
	seq    uint64
	letter *letter
	tries  int
	tried  bool    // a try ended, or was cut off, without a clear answer
	next   int64   // not before, unix ns
	prior  Receipt // of a pending one
	err    string  // of the last try
	deadAt int64   // unix ns
	flying bool    // a try is under way
}

type ref struct {
	receipt Receipt
	at      int64 // unix ns
}

// compactFrom is the size of a journal below which it is left alone, in bytes; above, it may grow to four times what it
// had after it was last compacted.
const compactFrom = 256 << 10

// keepRefs is how long the peer's name of an alert is kept after its last use.
const keepRefs = alert.Keep

// openOutbox opens or makes the outbox. A new one begins after the given entry of the alert log.
func openOutbox(path string, start uint64) (*outbox, error) {
	var j *journal
	var damaged int
	o, err := load(func(line func(*record)) (err error) {
		j, damaged, err = openJournal(path, line)
		return err
	})
	if err != nil {
		return nil, err
	}
	o.journal, o.damaged = j, damaged
	if o.lines == 0 {
		o.cursor = start
		if err := o.put(&record{Op: opCursor, Cursor: start}); err != nil {
			return nil, errors.Join(err, j.close())
		}
	}
	return o, nil
}

// load makes an outbox from the lines that read calls its argument with.
func load(read func(func(*record)) error) (*outbox, error) {
	o := &outbox{
		waiting: make(map[alert.ID]*queue), dead: make(map[uint64]*item), refs: make(map[alert.ID]ref),
		wake: make(chan struct{}),
	}
	items := make(map[uint64]*item)
	open := make(map[uint64]bool) // tries without an outcome
	if err := read(func(r *record) { o.replay(r, items, open) }); err != nil {
		return nil, err
	}
	for _, seq := range slices.Sorted(maps.Keys(items)) {
		it := items[seq]
		it.tried = it.tried || open[seq]
		if it.deadAt != 0 {
			o.dead[seq] = it
		} else {
			q := o.queueOf(it.letter.Alert)
			q.items = append(q.items, it)
		}
	}
	return o, nil
}

// replay takes one line of the journal into account.
func (o *outbox) replay(r *record, items map[uint64]*item, open map[uint64]bool) {
	o.lines++
	o.cursor = max(o.cursor, r.Cursor)
	o.seq = max(o.seq, r.Seq)
	if r.Op != opTry {
		delete(open, r.Seq)
	}
	if r.Op == opAdd {
		it := &item{seq: r.Seq, letter: r.Letter, next: r.Next}
		if old := items[r.Replaces]; old != nil {
			it.inherit(old)
			delete(items, r.Replaces)
			it.tried = it.tried || open[r.Replaces]
			delete(open, r.Replaces)
		}
		items[r.Seq] = it
		return
	}
	if r.Op == opRef && r.Receipt != nil {
		o.refs[r.Alert] = ref{*r.Receipt, r.At}
		return
	}
	it := items[r.Seq]
	if it == nil {
		return
	}
	switch r.Op {
	case opTry:
		if it.tries++; r.Tries > 0 {
			it.tries = r.Tries
		}
		if open[r.Seq] { // the program ended during the try before
			it.tried = true
		}
		open[r.Seq] = true
	case opDone:
		o.settle(it, r)
		delete(items, r.Seq)
	case opDrop:
		delete(items, r.Seq)
	case opWait:
		it.wait(r)
	case opDead:
		it.deadAt, it.err = r.At, r.Error
	case opRevive:
		it.deadAt, it.next, it.letter.Made = 0, 0, r.At
	}
}

// inherit takes over what is known of a letter that this one replaces.
func (it *item) inherit(old *item) {
	it.tries, it.tried, it.next, it.prior, it.err = old.tries, old.tried, old.next, old.prior, old.err
	it.letter.Change = old.letter.Change
	it.letter.Made = old.letter.Made
}

func (it *item) wait(r *record) {
	it.next, it.err = r.Next, r.Error
	if r.Receipt != nil && r.Receipt.State == Pending {
		it.prior, it.tried = *r.Receipt, false
	} else if !r.Refused {
		it.tried = true
	}
}

// settle keeps the peer's name of the alert.
func (o *outbox) settle(it *item, r *record) {
	if r.Receipt != nil && r.Receipt.Ref != "" {
		o.refs[it.letter.Alert] = ref{*r.Receipt, r.At}
	}
}

func (o *outbox) queueOf(id alert.ID) *queue {
	q := o.waiting[id]
	if q == nil {
		q = new(queue)
		o.waiting[id] = q
	}
	return q
}

// put writes lines and counts them. o.mu is held, except during opening.
func (o *outbox) put(records ...*record) error {
	if err := o.journal.write(records...); err != nil {
		return err
	}
	o.lines += len(records)
	return nil
}

func (o *outbox) signal() {
	close(o.wake)
	o.wake = make(chan struct{})
}

// position returns the cursor.
func (o *outbox) position() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cursor
}

// skip says that entry n needs nothing. The cursor reaches the disk with the next letter or now and then: to look at
// an entry twice does no harm.
func (o *outbox) skip(n uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cursor = max(o.cursor, n)
	if o.skipped++; o.skipped < 1000 {
		return nil
	}
	o.skipped = 0
	return o.put(&record{Op: opCursor, Cursor: o.cursor})
}

// rewind sets the cursor back to the end of an alert log that is shorter than it.
func (o *outbox) rewind(n uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cursor = n
	return o.compact(time.Now())
}

// add keeps a letter and moves the cursor to its entry. An update takes the place of one that still waits, since it
// says all that the other said. What was already added is ignored.
func (o *outbox) add(l *letter) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l.Entry <= o.cursor {
		return nil
	}
	it := &item{seq: o.seq + 1, letter: l}
	r := &record{Op: opAdd, Seq: it.seq, Cursor: l.Entry, Letter: l}
	q := o.queueOf(l.Alert)
	at := -1
	if l.Change.Emission() {
		for i, w := range slices.Backward(q.items) {
			if w.letter.Change.Emission() {
				if !w.flying {
					at = i
				}
				break
			}
		}
	}
	if at >= 0 {
		it.inherit(q.items[at])
		r.Replaces, r.Next = q.items[at].seq, it.next
	}
	if err := o.put(r); err != nil {
		return err
	}
	o.seq, o.cursor, o.skipped = it.seq, l.Entry, 0
	if at >= 0 {
		q.items[at] = it
	} else {
		q.items = append(q.items, it)
	}
	o.signal()
	return nil
}

// cancel drops the letter about an action that was undone in time: it waits and no try was made. It reports whether
// there was one, and then moves the cursor to entry n, which undid it.
func (o *outbox) cancel(id alert.ID, entry, n uint64) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.waiting[id]
	if q == nil {
		return false, nil
	}
	i := slices.IndexFunc(q.items, func(w *item) bool { return w.letter.Entry == entry && w.letter.Action != nil })
	if i < 0 || q.items[i].tries > 0 {
		return false, nil
	}
	if err := o.put(&record{Op: opDrop, Seq: q.items[i].seq, Cursor: n}); err != nil {
		return false, err
	}
	o.cursor = max(o.cursor, n)
	o.remove(q, q.items[i])
	return true, nil
}

// held returns the entry of the oldest action on an alert that is held back for an undo, 0 if there is none.
func (o *outbox) held(id alert.ID, now int64) uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q := o.waiting[id]; q != nil {
		for _, it := range q.items {
			if it.letter.Action != nil && it.letter.Due > now {
				return it.letter.Entry
			}
		}
	}
	return 0
}

// take returns a letter that may be sent now, marked as being tried, with the newest state of its alert and what is
// known of it; or how long to wait (0: until woken) and the channel that wakes. The try is on disk before it begins.
func (o *outbox) take(now int64) (*item, time.Duration, <-chan struct{}, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var best *item
	var soonest int64
	for _, q := range o.waiting {
		it, at := q.candidate(now)
		switch {
		case q.busy || at == 0:
		case at > now:
			if soonest == 0 || at < soonest {
				soonest = at
			}
		case best == nil || it.seq < best.seq:
			best = it
		}
	}
	if best == nil {
		if soonest == 0 {
			return nil, 0, o.wake, nil
		}
		return nil, time.Duration(soonest - now), o.wake, nil
	}
	if err := o.put(&record{Op: opTry, Seq: best.seq, At: now}); err != nil {
		return nil, 0, o.wake, err
	}
	best.tries++
	best.flying = true
	q := o.waiting[best.letter.Alert]
	if q.items[0] != best { // what was held before it stays behind it
		i := slices.Index(q.items, best)
		copy(q.items[1:i+1], q.items[:i])
		q.items[0] = best
	}
	q.busy = true
	return best, 0, nil, nil
}

// candidate returns the letter of a queue that goes next and when it may: the first that is not held back for an undo.
func (q *queue) candidate(now int64) (*item, int64) {
	var held int64
	for _, it := range q.items {
		if it.letter.Due > now && it.tries == 0 {
			if held == 0 || it.letter.Due < held {
				held = it.letter.Due
			}
			continue
		}
		at := max(it.next, 1)
		if held != 0 && held < at {
			at = held // when the held one is due it goes first
		}
		return it, max(at, 1)
	}
	return nil, held
}

// newest returns the letter with the latest state of the alert that is not held back for an undo.
func (o *outbox) newest(it *item, now int64) *letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	latest := it.letter
	if q := o.waiting[it.letter.Alert]; q != nil {
		for _, w := range q.items {
			if w.letter.Entry > latest.Entry && w.letter.Due <= now {
				latest = w.letter
			}
		}
	}
	return latest
}

// prior returns what is known of earlier deliveries of the alert of a letter.
func (o *outbox) prior(it *item) Receipt {
	o.mu.Lock()
	defer o.mu.Unlock()
	if it.prior.State == Pending {
		return it.prior
	}
	r := o.refs[it.letter.Alert].receipt
	// Whichever letter of the alert was tried, its message may be there.
	for _, w := range o.waiting[it.letter.Alert].items {
		if w.tried {
			r.State = Unknown
		}
	}
	for _, w := range o.dead {
		if w.tried && w.letter.Alert == it.letter.Alert {
			r.State = Unknown
		}
	}
	return r
}

// done ends a letter that the peer has.
func (o *outbox) done(it *item, receipt Receipt, now int64) error {
	return o.end(it, &record{Op: opDone, Seq: it.seq, At: now, Receipt: &receipt}, now)
}

// bury makes a letter a dead one.
func (o *outbox) bury(it *item, cause string, now int64) error {
	return o.end(it, &record{Op: opDead, Seq: it.seq, At: now, Error: cause}, now)
}

func (o *outbox) end(it *item, r *record, now int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.waiting[it.letter.Alert]
	q.busy, it.flying = false, false
	defer o.signal()
	if err := o.put(r); err != nil {
		it.tried = true // the outcome is not on disk, so the letter is tried again and looked up first
		it.next = now + int64(time.Second)
		return err
	}
	o.remove(q, it)
	if r.Op == opDead {
		it.err, it.deadAt = r.Error, now
		o.dead[it.seq] = it
	} else {
		o.settle(it, r)
	}
	if o.journal.size > max(compactFrom, 4*o.base) {
		return o.compact(time.Unix(0, now))
	}
	return nil
}

// postpone has a letter wait for its next try.
func (o *outbox) postpone(it *item, r *record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.Op, r.Seq = opWait, it.seq
	it.wait(r)
	o.waiting[it.letter.Alert].busy, it.flying = false, false
	defer o.signal()
	return o.put(r)
}

// giveBack ends a try that was cut off by the end of the program; the journal already shows it as unclear.
func (o *outbox) giveBack(it *item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it.tried = true
	o.waiting[it.letter.Alert].busy, it.flying = false, false
}

// revive has dead letters tried again: the given ones, or all. It returns how many.
func (o *outbox) revive(seqs []uint64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(seqs) == 0 {
		seqs = slices.Sorted(maps.Keys(o.dead))
	}
	n := 0
	for _, seq := range seqs {
		it := o.dead[seq]
		if it == nil {
			return n, fmt.Errorf("outbox: no dead letter %d", seq)
		}
		now := time.Now().UnixNano()
		if err := o.put(&record{Op: opRevive, Seq: seq, At: now}); err != nil {
			return n, err
		}
		delete(o.dead, seq)
		it.deadAt, it.next = 0, 0
		it.letter.Made = now
		q := o.queueOf(it.letter.Alert)
		if q.busy {
			q.items = slices.Insert(q.items, 1, it)
		} else {
			q.items = slices.Insert(q.items, 0, it)
		}
		n++
	}
	o.signal()
	return n, nil
}

func (o *outbox) remove(q *queue, it *item) {
	if i := slices.Index(q.items, it); i >= 0 {
		q.items = slices.Delete(q.items, i, i+1)
	}
	if len(q.items) == 0 {
		delete(o.waiting, it.letter.Alert)
	}
}

// compact rewrites the journal with only what still counts. o.mu is held.
func (o *outbox) compact(now time.Time) error {
	records := o.records(now)
	if err := o.journal.replace(records); err != nil {
		return err
	}
	o.lines, o.skipped, o.base = len(records), 0, o.journal.size
	return nil
}

// records returns the lines that bring the outbox about as it is. o.mu is held.
func (o *outbox) records(now time.Time) []*record {
	records := []*record{{Op: opCursor, Cursor: o.cursor, Seq: o.seq}}
	var items []*item
	for _, q := range o.waiting {
		items = append(items, q.items...)
	}
	items = slices.AppendSeq(items, maps.Values(o.dead))
	slices.SortFunc(items, func(a, b *item) int { return cmp.Compare(a.seq, b.seq) })
	for _, it := range items {
		records = append(records, it.records()...)
	}
	oldest := now.Add(-keepRefs).UnixNano()
	for id, r := range o.refs {
		if r.at < oldest {
			delete(o.refs, id)
			continue
		}
		records = append(records, &record{Op: opRef, Alert: id, At: r.at, Receipt: &r.receipt})
	}
	return records
}

// records returns the lines that bring an item about.
func (it *item) records() []*record {
	out := []*record{{Op: opAdd, Seq: it.seq, Letter: it.letter, Next: it.next}}
	if it.tries > 0 {
		out = append(out, &record{Op: opTry, Seq: it.seq, Tries: it.tries})
	}
	if it.prior.State == Pending {
		out = append(out, &record{Op: opWait, Seq: it.seq, Receipt: &it.prior})
	}
	if it.tries > 0 || it.tried || it.err != "" {
		out = append(out, &record{Op: opWait, Seq: it.seq, Next: it.next, Error: it.err, Refused: !it.tried})
	}
	if it.flying {
		out = append(out, &record{Op: opTry, Seq: it.seq, Tries: it.tries})
	}
	if it.deadAt != 0 {
		out = append(out, &record{Op: opDead, Seq: it.seq, At: it.deadAt, Error: it.err})
	}
	return out
}

func (o *outbox) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.skipped > 0 {
		if err := o.put(&record{Op: opCursor, Cursor: o.cursor}); err != nil {
			return errors.Join(err, o.journal.close())
		}
	}
	return o.journal.close()
}
