// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package spool is the durable, replayable stream between collectors and readers: what Write has acknowledged is on
// disk, is read exactly once in order by every reader, and stays until each configured reader has it safe elsewhere.
// It runs on an embedded JetStream server. One message is one Record, the group commit of many batches.
//
// Two rules a reader would otherwise break. Positions belong to an incarnation: keep a Cursor, never a bare sequence.
// And time in the stream is Record.Clock: whoever decides by time must take it from there, never from the wall.
package spool

import (
	"log/slog"
	"time"
)

// Config says how one stream behaves. Zero values are the defaults.
type Config struct {
	Name     string        // of the stream; default SPOOL
	Readers  []string      // names of the configured readers: records are kept until each has trimmed past them
	MaxBytes int64         // of the stream; 0: the server's reserve decides
	Tick     time.Duration // between tick records; 0: 1 s; negative: none but those of Tick
	Deadline time.Duration // of one append, after which its outcome is found out by reading; 0: 10 s
	Log      *slog.Logger  // nil: discard

	Checkpoint time.Duration // between checkpoints of the table of ranges, at the latest; 0: 30 s

	Clock TimeSource // nil: the operating system's

	// OnSkew is called when stream time and wall clock begin to differ by more than 5 s; d > 0: the stream is ahead.
	// OnForget is called when a source silent for 90 days leaves the table of ranges. OnDamage is called when a reader
	// passes over the records [from, first), which the disk has damaged; once for all readers. None must block.
	OnSkew   func(d time.Duration)
	OnForget func(a Ack)
	OnDamage func(from, first uint64)
}

// TimeSource tells the wall clock, unix ns, and a monotonic time of any origin.
type TimeSource interface {
	Wall() int64
	Mono() time.Duration
}

// Ack is how far a source is known.
type Ack struct {
	Source string `json:"source"`
	Epoch  uint64 `json:"epoch"`
	Last   uint64 `json:"last"`
}
