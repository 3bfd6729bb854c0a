// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Trim records that a configured reader has everything up to the cursor safe elsewhere, and purges the records that
// every configured reader has. The last record always stays. The cursor is on disk when Trim returns nil, so that a
// stream made anew begins above it. An unknown reader, a cursor of another incarnation or beyond the last record is
// refused. Trim works on a full disk, which it may be about to heal.
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
	low, err := s.record(reader, upTo, last)
	if low == 0 {
		return err
	}
	if err2 := s.purge(low); err2 != nil {
		err = errors.Join(err, fmt.Errorf("spool: purging up to %d: %w", low, err2))
	}
	return err
}

// record keeps a reader's cursor and returns the sequence up to which records may go, 0 for none. When the small files
// cannot be written, for want of space perhaps, what the checkpoint on disk covers may go all the same.
func (s *Spool) record(reader string, upTo Cursor, last uint64) (low uint64, err error) {
	s.files.Lock()
	changed := !s.readers[reader].Equal(upTo)
	s.readers[reader] = upTo
	if changed {
		if err = writeSealed(s.path(".readers"), s.readers); err != nil {
			err = fmt.Errorf("spool: recording the place of reader %s: %w", reader, err)
		}
	}
	low = last - min(last, 1)
	for _, name := range s.cfg.Readers {
		low = min(low, s.readers[name].Seq(s.shard))
	}
	done, covered := low <= s.purged, s.checkpoint
	s.files.Unlock()
	if done {
		return 0, err
	}
	if low > covered { // the table is rebuilt from the checkpoint and the records after it
		if err2 := s.writeCheckpoint(); err2 != nil {
			low = covered
			err = errors.Join(err, fmt.Errorf("spool: writing the checkpoint before purging: %w", err2))
		}
	}
	return low, err
}

// purge deletes the records up to low. A stream that met a write error refuses: where an append is stuck on one, the
// server is reopened first, since it may be this purge that makes room for it.
func (s *Spool) purge(low uint64) error {
	s.purging.Lock()
	defer s.purging.Unlock()
	if s.pinned > 0 {
		return nil // the next Trim does it
	}
	s.mu.Lock()
	stuck := s.stuck
	s.mu.Unlock()
	if stuck {
		if err := s.srv.Reopen(); err != nil {
			return err
		}
	}
	ctx, cancel := s.srv.bound(s.quit, s.cfg.Deadline)
	defer cancel()
	st, err := s.srv.JetStream().Stream(ctx, s.cfg.Name)
	if err == nil {
		err = st.Purge(ctx, jetstream.WithPurgeSequence(low+1))
	}
	if err != nil {
		return err
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
