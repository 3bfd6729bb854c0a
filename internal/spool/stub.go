// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"iter"

	"github.com/haidang-soc/haidang/internal/event"
)

var errStub = errors.New("spool: being written")

// Spool is one stream with its writer.
type Spool struct{}

// Open opens or makes the stream.
func Open(ctx context.Context, srv *Server, cfg Config) (*Spool, error) { return nil, errStub }

// Write implements event.Writer.
func (s *Spool) Write(ctx context.Context, b *event.Batch) error { return errStub }

// WriteDrop declares a drop.
func (s *Spool) WriteDrop(ctx context.Context, d Drop) error { return errStub }

// Control appends a control record with v as JSON and returns its position.
func (s *Spool) Control(ctx context.Context, v any) (Position, error) { return Position{}, errStub }

// Tick appends a tick record and returns its position.
func (s *Spool) Tick(ctx context.Context) (Position, error) { return Position{}, errStub }

// Read yields the records after from, in order, for ever.
func (s *Spool) Read(ctx context.Context, from Cursor) iter.Seq2[Record, error] { return nil }

// Trim records that the reader has everything up to the cursor safe, and purges what no configured reader needs.
func (s *Spool) Trim(reader string, upTo Cursor) error { return errStub }

// Known returns how far a source is acknowledged.
func (s *Spool) Known(source string) (Ack, bool) { return Ack{}, false }

// End returns the cursor after the last acknowledged record.
func (s *Spool) End() Cursor { return Cursor{} }

// Stats returns the counts so far.
func (s *Spool) Stats() Stats { return Stats{} }

// Close stops the writer.
func (s *Spool) Close() error { return nil }
