// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"fmt"

	"github.com/haidang-soc/haidang/internal/event"
)

// ErrFull is what Write, WriteDrop and Control return when less than the reserve is free, or the stream is at its
// configured limit. Nothing was stored; the same call works again when readers have moved on or space has returned.
var ErrFull = errors.New("spool: full: free disk space, or let its readers catch up")

// ErrClosed is returned by everything after Close.
var ErrClosed = errors.New("spool: closed")

// ErrFenced means that something else writes to the same stream: this Spool stopped for good, since the two would
// number records and ranges against each other. Stop the other process, then open again.
var ErrFenced = errors.New("spool: another process writes to this stream")

// ErrHole refuses a batch that does not go on where its source's last one ended: the units [Last, First) are missing.
// Nothing was stored. The sender goes back to Last, or declares the drop.
type ErrHole struct {
	Source string
	Epoch  uint64 // of the refused batch
	First  uint64 // where the refused batch began
	Last   uint64 // where it had to begin at the latest
	// Early is true when the batch reaches back before the first unit that was ever accepted of its epoch, so that it
	// can be told neither known nor new: the source wrote its first batches out of order. Last is that first unit.
	Early bool
}

// Error names source, epoch and both ends of the hole.
func (e *ErrHole) Error() string {
	if e.Early {
		return fmt.Sprintf("spool: source %s epoch %d: batch begins at %d, before the first accepted unit %d",
			e.Source, e.Epoch, e.First, e.Last)
	}
	return fmt.Sprintf("spool: source %s epoch %d: hole: batch begins at %d, known up to %d",
		e.Source, e.Epoch, e.First, e.Last)
}

// Is reports that the batch is refused for good.
func (e *ErrHole) Is(target error) bool { return target == event.ErrRefused }

// ErrEpoch refuses a batch of an epoch older than its source's current one whose units are not known.
type ErrEpoch struct {
	Source  string
	Epoch   uint64 // of the refused batch
	Current uint64
	Last    uint64 // of the current epoch
}

// Error names source and both epochs.
func (e *ErrEpoch) Error() string {
	return fmt.Sprintf("spool: source %s: epoch %d is over, the current one is %d", e.Source, e.Epoch, e.Current)
}

// Is reports that the batch is refused for good.
func (e *ErrEpoch) Is(target error) bool { return target == event.ErrRefused }

// ErrGap means that records a reader asked for are gone: [From, First) of the shard.
type ErrGap struct {
	Shard       uint16
	From, First uint64
}

// Error names both ends of the gap.
func (e *ErrGap) Error() string {
	return fmt.Sprintf("spool: shard %d: records %d to %d are gone", e.Shard, e.From, e.First-1)
}

// ErrIncarnation means that a cursor belongs to another life of the stream: positions of the two cannot be compared.
type ErrIncarnation struct {
	Shard     uint16
	Have, Got Incarnation
}

// Error names both incarnations.
func (e *ErrIncarnation) Error() string {
	return fmt.Sprintf("spool: shard %d: the cursor is of incarnation %q, the stream is %q: the stream was made anew",
		e.Shard, e.Got, e.Have)
}
