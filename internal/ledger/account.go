// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"

	"github.com/haidang-soc/haidang/internal/event"
)

// maxSpans bounds the pieces in which a range may be covered out of order.
const maxSpans = 64

// span is the units [First, Last).
type span struct {
	First uint64 `json:"f"`
	Last  uint64 `json:"l"`
}

// maxEpochs is how many finished epochs of a source are remembered: as many as the spool does.
const maxEpochs = 8

// pieces are the units of one epoch that a stage has seen, in order and apart.
type pieces struct {
	Epoch uint64 `json:"epoch"`
	Spans []span `json:"spans,omitempty"`
}

// covered is which units of a source a stage has seen. Epochs overlap: after a restart the last records of the epoch
// before are read while the new one comes in already.
type covered struct {
	pieces
	Old   []pieces `json:"old,omitempty"`   // finished epochs, rising
	Floor uint64   `json:"floor,omitempty"` // all of the epochs below it is known
}

// of returns the pieces of an epoch, nil where all of it is known.
func (c *covered) of(epoch uint64) *pieces {
	switch {
	case epoch == c.Epoch:
		return &c.pieces
	case epoch > c.Epoch:
		if len(c.Spans) > 0 {
			c.keep(len(c.Old), c.pieces)
		}
		c.pieces = pieces{Epoch: epoch}
		return &c.pieces
	case epoch < c.Floor:
		return nil
	}
	i, ok := slices.BinarySearchFunc(c.Old, epoch, func(p pieces, e uint64) int { return cmp.Compare(p.Epoch, e) })
	if !ok {
		if i = c.keep(i, pieces{Epoch: epoch}); i < 0 {
			return nil
		}
	}
	return &c.Old[i]
}

// keep inserts a finished epoch, and forgets the oldest where they are too many. It returns its place, -1 for none.
func (c *covered) keep(i int, p pieces) int {
	c.Old = slices.Insert(c.Old, i, p)
	if len(c.Old) > maxEpochs {
		c.Floor = c.Old[0].Epoch + 1
		c.Old = slices.Delete(c.Old, 0, 1)
		i--
	}
	return i
}

// last is the end of what is covered.
func (c *pieces) last() uint64 {
	if n := len(c.Spans); n > 0 {
		return c.Spans[n-1].Last
	}
	return 0
}

// has reports whether a unit is covered.
func (c *pieces) has(unit uint64) bool {
	for i := len(c.Spans) - 1; i >= 0; i-- {
		if s := c.Spans[i]; unit >= s.First {
			return unit < s.Last
		}
	}
	return false
}

// cover adds the units [first, last) of an epoch and returns how many were new.
func (c *covered) cover(epoch, first, last uint64) uint64 {
	if p := c.of(epoch); p != nil && first < last {
		return p.cover(first, last)
	}
	return 0
}

// clone returns a copy that shares nothing.
func (c *covered) clone() covered {
	d := covered{pieces{c.Epoch, slices.Clone(c.Spans)}, slices.Clone(c.Old), c.Floor}
	for i := range d.Old {
		d.Old[i].Spans = slices.Clone(d.Old[i].Spans)
	}
	return d
}

func (c *pieces) cover(first, last uint64) (fresh uint64) {
	n := len(c.Spans)
	if n > 0 && c.Spans[n-1].Last == first { // the ordinary case
		c.Spans[n-1].Last = last
		return last - first
	}
	i := 0
	for i < n && c.Spans[i].Last < first {
		i++
	}
	in, j := span{first, last}, i
	fresh = last - first
	for j < n && c.Spans[j].First <= last {
		s := c.Spans[j]
		if lo, hi := max(s.First, first), min(s.Last, last); lo < hi {
			fresh -= hi - lo
		}
		in = span{min(in.First, s.First), max(in.Last, s.Last)}
		j++
	}
	c.Spans = append(c.Spans[:i], append([]span{in}, c.Spans[j:]...)...)
	if len(c.Spans) > maxSpans { // the oldest hole will not be filled any more
		c.Spans[1].First = c.Spans[0].First
		c.Spans = append(c.Spans[:0], c.Spans[1:]...)
	}
	return fresh
}

// take covers a batch, calls each for every event that is new, and returns how many events and units are.
func (c *covered) take(b *event.Batch, each func(event.Event)) (events, units uint64) {
	p := c.of(b.Epoch())
	if p == nil || b.First() >= b.Last() {
		return 0, 0
	}
	all := len(p.Spans) == 0 || b.First() >= p.last()
	for e := range b.Events() {
		if all || !p.has(e.ID().Unit()) {
			events++
			if each != nil {
				each(e)
			}
		}
	}
	return events, p.cover(b.First(), b.Last())
}

// mark is a place in a source's own units.
type mark struct {
	Epoch uint64 `json:"epoch"`
	Last  uint64 `json:"last"`
}

// source is the account of one source. Counts are of events where the name does not say units.
type source struct {
	// What the collector counted, of processes that have ended; those of this one are added when it is looked at.
	Ended map[string]uint64 `json:"ended,omitempty"`

	Tapped   bool    `json:"tapped,omitempty"` // it comes through Intake and Tap
	In       covered `json:"in"`
	InEvents uint64  `json:"in_events,omitempty"` // acknowledged to the sender, new
	InUnits  uint64  `json:"in_units,omitempty"`
	Known    uint64  `json:"known,omitempty"`   // acknowledged, all of the batch was known
	Cut      uint64  `json:"cut,omitempty"`     // acknowledged, the known part of an overlap
	Reports  uint64  `json:"reports,omitempty"` // of InEvents: what the listener says of itself

	Out       covered `json:"out"`
	OutEvents uint64  `json:"out_events,omitempty"` // that the spool took, new
	Undecoded uint64  `json:"undecoded,omitempty"`  // of OutEvents
	Errors    uint64  `json:"errors,omitempty"`     // of OutEvents: pipeline_error

	Stream     mark                `json:"stream"`
	Streamed   uint64              `json:"streamed,omitempty"` // read back from the stream
	DropUnits  uint64              `json:"drop_units,omitempty"`
	DropReason string              `json:"drop_reason,omitempty"` // of the last declared drop
	HoleUnits  uint64              `json:"hole_units,omitempty"`  // that the stream neither has nor explains
	Given      uint64              `json:"given,omitempty"`       // handed to the store
	Stored     uint64              `json:"stored,omitempty"`
	Expired    uint64              `json:"expired,omitempty"` // older than their retention
	Dead       uint64              `json:"dead,omitempty"`    // dead letters
	StoreEpoch uint64              `json:"store_epoch,omitempty"`
	StoreLast  uint64              `json:"store_last,omitempty"`
	LastSeen   int64               `json:"last_seen,omitempty"`
	DecodeLost int64               `json:"decode_lost,omitempty"`
	SpoolLost  int64               `json:"spool_lost,omitempty"`
	ListenLost int64               `json:"listen_lost,omitempty"`
	Troubles   map[string]*Trouble `json:"troubles,omitempty"` // by hop

	// Of this process.
	life        uint64            // units acknowledged since the start, known ones as well
	own         uint64            // of life: reports
	counts      map[string]uint64 // what the listener counts
	kind        string
	waiting     uint64
	pending     *pending
	listenEnded int64 // of ListenLost: of processes that have ended
	idle        listening
}

// pending is a comparison under way: once the stream is read up to the mark, or the stream's end of then, it must hold
// so many events.
type pending struct {
	at    mark
	count uint64
	end   uint64
}

// origin is the account of who speaks.
type origin struct {
	Site     string `json:"site,omitempty"`
	Addr     string `json:"addr,omitempty"`
	Host     string `json:"host,omitempty"`
	First    int64  `json:"first"`
	LastSeen int64  `json:"last,omitempty"` // arrival of the last event

	Accepted  uint64 `json:"accepted,omitempty"`
	Undecoded uint64 `json:"undecoded,omitempty"`
	Errors    uint64 `json:"errors,omitempty"`
	Streamed  uint64 `json:"streamed,omitempty"`
	Given     uint64 `json:"given,omitempty"`
	Stored    uint64 `json:"stored,omitempty"`
	Expired   uint64 `json:"expired,omitempty"`
	Dead      uint64 `json:"dead,omitempty"`
	Lost      int64  `json:"lost,omitempty"` // written but not read back

	Skew     float64 `json:"skew,omitempty"`  // seconds, event time minus arrival, smoothed
	Usual    float64 `json:"usual,omitempty"` // seconds: the longest usual pause
	Pauses   uint64  `json:"pauses,omitempty"`
	Silent   bool    `json:"silent,omitempty"` // told
	Decoders tallies `json:"decoders"`

	snap uint64 // Accepted when the comparison under way began
}

// total is what the collector counted in all.
func (s *source) total() map[string]uint64 {
	sum := make(map[string]uint64, len(s.Ended)+len(s.counts))
	for k, n := range s.Ended {
		sum[k] += n
	}
	for k, n := range s.counts {
		sum[k] += n
	}
	return sum
}
