// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import "slices"

// oldEpochs is how many finished epochs of a source are remembered, so that a batch sent again from one of them is
// still known.
const oldEpochs = 8

// span is what was accepted of one epoch: the units [Start, Last).
type span struct {
	Epoch uint64 `json:"epoch"`
	Start uint64 `json:"start"`
	Last  uint64 `json:"last"`
}

// ranges is all that is known of a source. It is a value: admit returns another. Old is shared and never changed.
type ranges struct {
	span
	Old  []span `json:"old,omitempty"`  // finished epochs, the newest last
	Soft bool   `json:"soft,omitempty"` // what followed was lost with the stream: the next batch may begin later
	Seen int64  `json:"seen"`           // stream time of the last record, unix ns
	some bool   // false for a source never seen
}

// verdict is what becomes of a batch.
type verdict uint8

const (
	accept  verdict = iota // store the units from the returned one on
	known                  // all of it is known
	refused                // see the error
)

// admit judges the units [first, last) of an epoch. For accept it returns the unit from which on they are new, and
// the ranges once they are stored. An epoch may begin anywhere: where it begins is remembered, and what reaches back
// before it is refused, since nobody could say whether it is known.
func (r ranges) admit(source string, in span) (v verdict, from uint64, after ranges, err error) {
	first, last := in.Start, in.Last
	switch {
	case !r.some:
		return accept, first, ranges{span: in, some: true}, nil
	case in.Epoch > r.Epoch:
		old := append(slices.Clone(r.Old), r.span)
		if len(old) > oldEpochs {
			old = old[len(old)-oldEpochs:]
		}
		return accept, first, ranges{span: in, Old: old, some: true}, nil
	case in.Epoch < r.Epoch:
		for _, o := range r.Old {
			if o.Epoch == in.Epoch && o.Start <= first && last <= o.Last {
				return known, 0, r, nil
			}
		}
		return refused, 0, r, &ErrEpoch{Source: source, Epoch: in.Epoch, Current: r.Epoch, Last: r.Last}
	case first < r.Start:
		return refused, 0, r, &ErrHole{Source: source, Epoch: in.Epoch, First: first, Last: r.Start, Early: true}
	case last <= r.Last:
		return known, 0, r, nil
	case first > r.Last && !r.Soft:
		return refused, 0, r, &ErrHole{Source: source, Epoch: in.Epoch, First: first, Last: r.Last}
	}
	after = r
	after.Last, after.Soft = last, false
	return accept, max(first, r.Last), after, nil
}

// source is the state of one source in the table: what is committed, and what will be once its groups are.
type source struct {
	name string
	done ranges
	next ranges // meaningful while group is not nil
	last *group // the last group that carries something of it and is not committed yet
}

// current returns the ranges that the next batch must go on from.
func (s *source) current() ranges {
	if s.last != nil {
		return s.next
	}
	return s.done
}
