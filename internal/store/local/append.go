// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

const (
	maxFuture = 24 * time.Hour
	maxText   = 32 << 10 // bytes of a text in a row that would be too large
	day       = int64(24 * time.Hour)
)

// Append implements store.Appender: it adds the events of a record. A record at or before the last Sync is skipped.
// It does not look at ctx once it has begun: half a record is never stored unnoticed.
func (s *Store) Append(ctx context.Context, r *spool.Record) error {
	s.appending.Lock()
	defer s.appending.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.check(r); err != nil {
		return err
	}
	if s.cursor.Has(r.At) {
		return nil
	}
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return errClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(r.Batches) > 0 {
		if err := s.room(1); err != nil {
			return err
		}
	}
	now := time.Now().UnixNano()
	pos := r.At.Seq << posBits
	for _, b := range r.Batches {
		for e := range b.Events() {
			if _, ok := s.have[pos]; ok {
				delete(s.have, pos)
				s.counts.skipped.Add(1)
			} else if err := s.add(e, pos, now); err != nil {
				for p := r.At.Seq << posBits; p < pos; p++ { // when the record is given again
					s.have[p] = struct{}{}
				}
				return err
			}
			pos++
		}
	}
	s.cursor = s.cursor.Advance(r)
	return nil
}

// check refuses records that the positions in the rows could not tell apart.
func (s *Store) check(r *spool.Record) error {
	if r.At.Shard != 0 || r.At.Seq >= 1<<(64-posBits) {
		return fmt.Errorf("store/local: record %s: it keeps positions of shard 0 below 2^%d only", r.At, 64-posBits)
	}
	for _, m := range s.cursor.Marks() {
		if m.Shard == r.At.Shard && m.Incarnation != r.Incarnation && m.Seq > 0 {
			return fmt.Errorf("store/local: record %s belongs to the spool %q, but what is stored came from %q: "+
				"restore that spool, or give the store an empty directory", r.At, r.Incarnation, m.Incarnation)
		}
	}
	n := 0
	for _, b := range r.Batches {
		n += b.Len()
	}
	if n > 1<<posBits {
		return fmt.Errorf("store/local: record %s: %d events: at most %d", r.At, n, 1<<posBits)
	}
	return nil
}

// add adds one event to its class. s.mu is held.
func (s *Store) add(e event.Event, pos uint64, now int64) error {
	c := s.classOf(s.cfg.Class(e))
	t := e.Time()
	if t == 0 || t > now+int64(maxFuture) {
		e = clamp(e, now)
		t = e.Time()
		s.counts.clamped.Add(1)
	}
	if t < now-int64(c.days)*day+int64(time.Minute) {
		s.counts.expired.Add(1)
		if s.cfg.Expired != nil {
			s.cfg.Expired(e)
		}
		return nil
	}
	fields, odd, ok := s.enc.row(e, pos)
	if !ok {
		s.counts.cut.Add(1)
		if fields, odd, ok = s.enc.row(shorten(e), pos); !ok {
			return fmt.Errorf("store/local: event %s: it is too large for a row", e.ID())
		}
	}
	if odd {
		s.counts.odd.Add(1)
	}
	if err := s.touch(c, t/day); err != nil {
		return err
	}
	s.gather(c, t, fields)
	s.dirty = true
	s.counts.stored.Add(1)
	return nil
}

// classOf is the smallest class that keeps for at least so many days.
func (s *Store) classOf(days int) *class {
	for _, c := range s.classes {
		if c.days >= days {
			return c
		}
	}
	return s.classes[len(s.classes)-1]
}

// clamp gives an event whose time is missing or in the future another: when it was ingested, read, or now. A time that
// was claimed is kept.
func clamp(e event.Event, now int64) event.Event {
	t := now
	for _, x := range []int64{e.Ingested(), e.Created()} {
		if x != 0 && x <= now {
			t = x
			break
		}
	}
	return rebuild(e, func(b *event.Builder) {
		if claimed := e.Time(); claimed != 0 {
			b.Time(event.HaidangTimeClaimed, claimed)
		}
		b.Time(event.Timestamp, t)
	})
}

// shorten cuts the long texts of an event.
func shorten(e event.Event) event.Event {
	return rebuild(e, func(b *event.Builder) {
		for id, v := range e.Fields() {
			if s := v.Str(); len(s) > maxText {
				b.Str(id, strings.ToValidUTF8(s[:maxText], ""))
			} else if v.Kind() == event.List && len(v.String()) > maxText {
				b.Del(id)
			}
		}
		b.Bool(event.HaidangTruncated, true)
	})
}

func rebuild(e event.Event, change func(*event.Builder)) event.Event {
	b := event.NewBuilder(e.Batch().Source(), e.Batch().Epoch())
	b.Begin(0, 0)
	b.Copy(e)
	change(b)
	b.End()
	return b.Batch(0, 1).At(0)
}
