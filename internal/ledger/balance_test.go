// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// traffic drives the pipeline at random: sources take turns, readers lag, senders repeat, overlap, begin new epochs and
// declare drops, the spool refuses at times, old events expire.
func (r *rig) traffic(steps int) {
	r.tb.Helper()
	for range steps {
		name := fmt.Sprintf("listener/%d", r.rnd.IntN(4))
		f := r.feed(name)
		switch r.rnd.IntN(14) {
		case 0, 1, 2, 3:
			r.send(name, 1+r.rnd.IntN(20))
		case 4: // the acknowledgement got lost
			if f.prev != nil {
				f.received += uint64(f.prev.Len())
				if err := r.intake.Write(r.tb.Context(), f.prev); err != nil {
					r.tb.Fatal(err)
				}
				f.accepted += uint64(f.prev.Len())
			}
		case 5: // an overlap
			if f.prev != nil && f.prev.Epoch() == f.epoch && f.prev.Last() == f.next {
				n := uint64(1 + r.rnd.IntN(5))
				b := r.batch(name, f.epoch, f.prev.First(), f.next+n)
				f.received += uint64(b.Len())
				if err := r.intake.Write(r.tb.Context(), b); err != nil {
					r.tb.Fatal(err)
				}
				f.accepted += uint64(b.Len())
				f.next += n
				f.prev = b
			}
		case 6:
			if r.rnd.IntN(4) == 0 {
				f.epoch++
				f.next = 0
			}
		case 7:
			if f.prev != nil && f.prev.Epoch() == f.epoch && f.prev.Last() == f.next {
				n := uint64(1 + r.rnd.IntN(9))
				r.stream.drop(name, f.epoch, n)
				f.next += n
			}
		case 8: // full: the sender tries again
			r.stream.refuse = errors.New("full")
			b := r.batch(name, f.epoch, f.next, f.next+3)
			if err := r.intake.Write(r.tb.Context(), b); err == nil {
				r.tb.Fatal("a full spool took a batch")
			}
			r.stream.refuse = nil
			r.send(name, 3)
		case 9, 10:
			for range r.rnd.IntN(6) {
				r.readOne()
			}
		case 11, 12:
			for range r.rnd.IntN(6) {
				r.storeOne()
			}
		case 13:
			r.store.expireNext = r.rnd.IntN(3)
			f.received++
			f.dropped++
			r.now = r.now.Add(time.Duration(r.rnd.IntN(3000)) * time.Millisecond)
			r.l.Evaluate()
		}
	}
}

func TestBalanceHoldsUnderTraffic(t *testing.T) {
	for seed := range uint64(16) {
		r := newRig(t, seed)
		for range 6 {
			r.traffic(60)
			r.want() // whatever the lag
		}
		r.settle()
		r.want()
		v := r.l.View()
		if !v.Balanced || !v.Settled {
			t.Fatalf("seed %d: balanced %v, settled %v", seed, v.Balanced, v.Settled)
		}
		for _, row := range v.Sources {
			if row.Accepted != row.Decoded+row.Undecoded+row.Errors || row.Written != row.Read || row.Read != row.Given ||
				row.Given != row.Stored+row.Expired+row.Dead || row.Waiting != 0 {
				t.Errorf("seed %d: %+v", seed, row)
			}
		}
		var all, read uint64
		for _, o := range r.l.Origins() {
			all += o.Accepted
			read += o.Read
			if o.Accepted != o.Read || o.Read != o.Stored+o.Expired || o.Lost != 0 {
				t.Errorf("seed %d: %+v", seed, o)
			}
		}
		if all == 0 || all != read {
			t.Errorf("seed %d: origins have %d accepted, %d read", seed, all, read)
		}
		if len(r.l.found) > 0 {
			t.Errorf("seed %d: findings %+v", seed, r.l.found)
		}
	}
}

// TestEachLossIsFoundAtItsHop injects one loss into the same traffic, hop by hop.
func TestEachLossIsFoundAtItsHop(t *testing.T) {
	const at = "listener/2"
	for name, x := range map[string]struct {
		inject func(r *rig)
		want   string
	}{
		"listener":            {func(r *rig) { r.feed(at).received += 3; r.feed(at).accepted += 3 }, at + " listener 3"},
		"listener's queue":    {func(r *rig) { r.feed(at).received += 2 }, at + " listener 2"},
		"decoder":             {func(r *rig) { r.loseDecode = 2; r.send(at, 9) }, at + " decode 2"},
		"event in the stream": {func(r *rig) { r.stream.loseEvents = 1; r.send(at, 5) }, at + " spool 1"},
		"batch in the stream": {func(r *rig) { r.stream.loseBatch = true; r.send(at, 4); r.send(at, 2) }, at + " spool 4"},
		"twice in the stream": {func(r *rig) { r.stream.double = true; r.send(at, 4) }, at + " spool -1"},
		"store": {func(r *rig) {
			r.settle()
			r.store.lose = 2
			r.send(at, 5)
		}, at + " store 2"},
		"store, a record of many": {func(r *rig) {
			r.settle()
			r.store.lose = 1
			r.send(at, 5)
			r.send("listener/1", 5)
			r.stream.join(2)
		}, Several + " store 1"},
		"the last batch": {nil, at + " spool 6"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				r := newRig(t, seed)
				r.traffic(80)
				if x.inject != nil {
					x.inject(r)
					r.traffic(80)
				} else {
					r.stream.loseBatch = true
					r.send(at, 6)
				}
				r.settle()
				r.want(x.want)
				if n := len(r.l.found); n == 0 || r.l.found[0].Action != ActionUnbalanced {
					t.Errorf("seed %d: findings %+v", seed, r.l.found)
				}
				// It stays, with its time and place, and is told once.
				told := len(r.l.found)
				r.traffic(80)
				r.settle()
				r.want(x.want)
				if len(r.l.found) != told {
					t.Errorf("seed %d: told again: %+v", seed, r.l.found[told:])
				}
			}
		})
	}
}

func TestSkippedRecordsAreFound(t *testing.T) {
	r := newRig(t, 1)
	r.traffic(100)
	r.settle()
	r.send("listener/0", 4)
	r.stream.stored++ // the store's loop never sees it
	r.settle()
	r.send("listener/0", 4)
	r.settle()
	r.want("(records) store 1")
}

// TestFindingWaits tells nothing before an imbalance was there for long enough.
func TestFindingWaits(t *testing.T) {
	r := newRig(t, 1)
	r.send("listener/0", 4)
	r.loseDecode = 1
	r.send("listener/0", 4)
	r.l.Evaluate()
	for range 29 {
		r.now = r.now.Add(time.Second)
		r.l.Evaluate()
	}
	if len(r.l.found) > 0 {
		t.Fatalf("told after 29 s: %+v", r.l.found)
	}
	r.now = r.now.Add(time.Second)
	r.l.Evaluate()
	if len(r.l.found) != 1 || r.l.found[0].Count != 1 || r.l.found[0].Hop != HopDecode {
		t.Fatalf("after 30 s: %+v", r.l.found)
	}
}

// TestDeadLettersAreExplained moves dead letters out of what is stored: nothing is missing.
func TestDeadLettersAreExplained(t *testing.T) {
	r := newRig(t, 1)
	r.store.dead = 2
	r.send("listener/0", 5)
	r.settle()
	r.want()
	row := r.l.View().Sources[0]
	if row.Dead != 2 || row.Stored != 3 || row.Given != 5 {
		t.Errorf("%+v", row)
	}
	r.store.dead = 1
	r.send("listener/0", 5)
	r.send("listener/1", 5)
	r.stream.join(2)
	r.settle()
	r.want()
}
