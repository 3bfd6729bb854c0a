// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Trim records that a configured reader has everything up to the cursor safe elsewhere, and purges the records that
// every configured reader has. The last record always stays. The cursor is on disk when Trim returns, so that a stream
// made anew begins above it. An unknown reader, a cursor of another incarnation or beyond the last record is refused.
func (s *Spool) Trim(reader string, upTo Cursor) error {
	if !slices.Contains(s.cfg.Readers, reader) {
		return fmt.Errorf("spool: trimming: reader %q is not configured", reader)
	}
	m := upTo.mark(s.shard)
	if m != (Mark{}) && m.Incarnation != s.incarnation {
		return &ErrIncarnation{Shard: s.shard, Have: s.incarnation, Got: m.Incarnation}
	}
	s.mu.Lock()
	last, err := s.last, s.err
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if m.Seq > last {
		return fmt.Errorf("spool: trimming: reader %s is at %d, beyond the last record %d", reader, m.Seq, last)
	}
	s.files.Lock()
	if !s.readers[reader].Equal(upTo) {
		old, had := s.readers[reader]
		s.readers[reader] = upTo
		if err := writeSealed(s.path(".readers"), s.readers); err != nil {
			if s.readers[reader] = old; !had {
				delete(s.readers, reader)
			}
			s.files.Unlock()
			return fmt.Errorf("spool: recording the place of reader %s: %w", reader, err)
		}
	}
	low := last
	for _, name := range s.cfg.Readers {
		low = min(low, s.readers[name].Seq(s.shard))
	}
	low = min(low, last-min(last, 1))
	done, behind := low <= s.purged, low > s.checkpoint
	s.files.Unlock()
	if done {
		return nil
	}
	if behind { // the table is rebuilt from the checkpoint and the records after it
		if err := s.writeCheckpoint(); err != nil {
			return fmt.Errorf("spool: writing the checkpoint before purging: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(s.quit, s.cfg.Deadline)
	defer cancel()
	st, err := s.srv.JetStream().Stream(ctx, s.cfg.Name)
	if err == nil {
		err = st.Purge(ctx, jetstream.WithPurgeSequence(low+1))
	}
	if err != nil {
		return fmt.Errorf("spool: purging up to %d: %w", low, err)
	}
	s.files.Lock()
	s.purged = max(s.purged, low)
	s.files.Unlock()
	return nil
}

// Trimmed returns the cursor that a reader last gave to Trim, in this life or one before; the zero Cursor when none.
func (s *Spool) Trimmed(reader string) Cursor {
	s.files.Lock()
	defer s.files.Unlock()
	return s.readers[reader]
}

func (s *Spool) loadReaders() error {
	s.readers = map[string]Cursor{}
	if err := readSealed(s.path(".readers"), &s.readers); err != nil {
		return fmt.Errorf("reading the places of readers: %w", err)
	}
	return nil
}
