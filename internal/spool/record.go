// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import "github.com/haidang-soc/haidang/internal/event"

// Kind says what a record carries.
type Kind uint8

// The kinds of records.
const (
	KindBatches Kind = iota + 1 // batches of events and declared drops, in the order in which they were accepted
	KindTick                    // only the clock: one each second of the server's spool
	KindControl                 // something its readers must switch by, such as a new rule set
)

// String returns the kind's word.
func (k Kind) String() string {
	switch k {
	case KindBatches:
		return "batches"
	case KindTick:
		return "tick"
	case KindControl:
		return "control"
	}
	return "unknown"
}

// Record is one message of the stream: what one group commit made safe. Its batches share memory with it; nothing in
// it may be changed.
type Record struct {
	At          Position
	Incarnation Incarnation // of the shard's stream, for Cursor.Advance
	Clock       int64       // stream time, unix ns, never falling along a shard
	Kind        Kind
	Batches     []*event.Batch
	Drops       []Drop // declared since the record before
	Control     any    // of a KindControl record read from a stream: a json.RawMessage
}

// Drop declares that the units [First, Last) of a source will never come, and why. Readers tell people; the ranges go
// on at Last.
type Drop struct {
	Source string `json:"source"`
	Epoch  uint64 `json:"epoch"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	Reason string `json:"reason"` // at most 1 KiB, the rest is cut
}
