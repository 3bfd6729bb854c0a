// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// maxFuture is how far ahead of the clock an event's time may be.
const maxFuture = 24 * time.Hour

// reserve is how many records ahead of a bulk are noted as sent: one fsync for as many.
const reserve = 4096

// maxID is the length of the longest id that Elasticsearch takes, in bytes.
const maxID = 512

// signalAlias is the alias of the index of alerts.
const signalAlias = "haidang-signal"

// Append implements store.Appender: it fills requests and sends them. It blocks while InFlight of them are under way,
// until ctx is done. A record that was taken is skipped; of one that an error cut short only the rest is.
func (s *Store) Append(ctx context.Context, r *spool.Record) error {
	switch {
	case s.closed:
		return errClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if err := s.check(r); err != nil {
		return err
	}
	if s.cursor.Has(r.At) {
		return nil
	}
	done := 0
	if s.part.at == r.At {
		done = s.part.events
	}
	n, now := 0, time.Now().UnixNano()
	for _, b := range r.Batches {
		for e := range b.Events() {
			if n++; n <= done {
				continue
			}
			if s.filling.full(s.cfg) {
				if err := s.push(ctx); err != nil {
					s.part = part{r.At, n - 1}
					return err
				}
			}
			s.add(e, r.At.Seq, now)
		}
	}
	s.part = part{}
	s.cursor = s.cursor.Advance(r)
	return nil
}

// check refuses records of another spool.
func (s *Store) check(r *spool.Record) error {
	if r.At.Shard != 0 {
		return fmt.Errorf("store/elastic: record %s: it keeps positions of shard 0 only", r.At)
	}
	for _, m := range s.cursor.Marks() {
		if m.Shard == r.At.Shard && m.Incarnation != r.Incarnation && m.Seq > 0 {
			return fmt.Errorf("store/elastic: record %s belongs to the spool %q, but what is indexed came from %q: "+
				"restore that spool, or move %s away to index this one from its start", r.At, r.Incarnation,
				m.Incarnation, s.cfg.Dir)
		}
	}
	return nil
}

// add puts one event into the request that is being filled.
func (s *Store) add(e event.Event, seq uint64, now int64) {
	if t := e.Time(); t <= 0 || t > now+int64(maxFuture) {
		e = clamp(e, now)
		s.counts.clamped.Add(1)
	}
	b := s.filling
	from := len(b.body)
	it := item{id: e.ID().String(), seq: seq}
	if alert, version, ok := signal(e); ok {
		it.id, it.signal = alert, true
		b.body = append(b.body, `{"index":{"_index":"`+signalAlias+`","require_alias":true,"_id":`...)
		b.body = event.AppendQuoted(b.body, alert)
		b.body = append(b.body, `,"version":`...)
		b.body = strconv.AppendInt(b.body, version, 10)
		b.body = append(b.body, `,"version_type":"external"}}`...)
	} else {
		b.body = append(b.body, `{"create":{"_index":"`...)
		b.body = s.appendStream(b.body, e)
		b.body = append(append(append(b.body, `","_id":"`...), it.id...), `"}}`...)
	}
	b.body = append(b.body, '\n')
	it.doc = len(b.body) - from
	b.body = appendDocument(b.body, e)
	b.body = append(b.body, '\n')
	it.from, it.to = from, len(b.body)
	b.items = append(b.items, it)
	b.last = max(b.last, seq)
	if !it.signal && seq <= s.doubt {
		b.doubt = true
	}
}

// signalSource is the source of what our own alert log says. A sender's line may claim to be an alert: it stays an
// event, and overwrites none.
const signalSource = "alerts"

// signal returns the alert of an event that is one, and which of its versions it is. Every entry of the alert log is a
// version, those that tell of a person's action as well, which leave the number of the update as it is.
func signal(e event.Event) (alert string, version int64, ok bool) {
	if e.Batch().Source() != signalSource {
		return "", 0, false
	}
	id, ok := e.Get(event.HaidangAlertID)
	if !ok || id.Str() == "" || len(id.Str()) > maxID {
		return "", 0, false
	}
	for _, f := range []event.FieldID{event.HaidangAlertEntry, event.HaidangAlertUpdate} {
		if v, ok := e.Get(f); ok && v.Kind() == event.Int && v.Int() >= 0 {
			return id.Str(), v.Int(), true
		}
	}
	return "", 0, false
}

// appendStream appends the name of the event's data stream.
func (s *Store) appendStream(dst []byte, e event.Event) []byte {
	dst = append(dst, streamPrefix...)
	if v, ok := e.Get(event.EventDataset); ok && strings.HasSuffix(v.Str(), ".flow") {
		dst = append(dst, "flow-r"...)
	} else {
		dst = append(dst, "event-r"...)
	}
	days, class := s.cfg.Class(e), s.cfg.Classes[len(s.cfg.Classes)-1]
	for _, c := range s.cfg.Classes {
		if c >= days {
			class = c
			break
		}
	}
	return strconv.AppendInt(dst, int64(class), 10)
}

// appendDocument appends the event's ECS document with its full text.
func appendDocument(dst []byte, e event.Event) []byte {
	dst = event.AppendJSON(dst, e, false)
	if _, ok := e.Get(event.HaidangText); ok {
		return dst
	}
	dst = append(dst[:len(dst)-1], `,"haidang.text":`...)
	dst = event.AppendQuoted(dst, string(kql.AppendText(nil, e)))
	return append(dst, '}')
}

// clamp gives an event whose time is missing or in the future another: when it was ingested, read, or now. A time that
// was claimed is kept.
func clamp(e event.Event, now int64) event.Event {
	t := now
	for _, x := range []int64{e.Ingested(), e.Created()} {
		if x > 0 && x <= now {
			t = x
			break
		}
	}
	b := event.NewBuilder(e.Batch().Source(), e.Batch().Epoch())
	b.Begin(0, 0)
	b.Copy(e)
	if claimed := e.Time(); claimed != 0 {
		b.Time(event.HaidangTimeClaimed, claimed)
	}
	b.Time(event.Timestamp, t)
	b.End()
	return b.Batch(0, 1).At(0)
}

// push sends the request that is being filled, once fewer than InFlight are under way.
func (s *Store) push(ctx context.Context) error {
	for len(s.pending) >= s.cfg.InFlight {
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	b := s.filling
	if b.last > s.file.sent { // on disk before anything of it is on the wire
		next := stateFile{cursor: s.file.cursor, sent: b.last + reserve}
		if err := next.write(s.cfg.Dir); err != nil {
			return err
		}
		s.file = next
	}
	s.filling = &bulk{}
	s.pending = append(s.pending, b)
	s.start(b)
	return nil
}

// start tries a bulk in the background.
func (s *Store) start(b *bulk) {
	b.done, b.told = make(chan struct{}), false
	s.bulks.Go(func() {
		defer close(b.done)
		b.err = s.deliver(s.life, b)
	})
}

// settle waits for the first bulk that is under way, and takes it from the list when the cluster has it. An error is
// told once; the next call tries the bulk again.
func (s *Store) settle(ctx context.Context) error {
	b := s.pending[0]
	if b.told {
		s.start(b)
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if b.err != nil {
		b.told = true
		return b.err
	}
	s.pending[0] = nil
	s.pending = s.pending[1:]
	return nil
}

// Sync implements store.Appender: it returns once the cluster has acknowledged everything appended, with every copy's
// log on its disk. When ctx ends first or a request fails nothing is lost: the cursor stays where it was.
func (s *Store) Sync(ctx context.Context) (spool.Cursor, error) {
	if s.closed {
		return spool.Cursor{}, errClosed
	}
	if len(s.filling.items) > 0 {
		if err := s.push(ctx); err != nil {
			return s.file.cursor, err
		}
	}
	for len(s.pending) > 0 {
		if err := s.settle(ctx); err != nil {
			return s.file.cursor, err
		}
	}
	next := stateFile{cursor: s.cursor, sent: s.cursor.Seq(0)}
	if s.part.events > 0 {
		next.sent = max(next.sent, s.part.at.Seq)
	}
	if next.sent < s.doubt && s.doubt > s.cursor.Seq(0) { // what an earlier process sent is not all appended again yet
		next.sent = s.doubt
	}
	if !next.cursor.Equal(s.file.cursor) || next.sent != s.file.sent {
		if err := next.write(s.cfg.Dir); err != nil {
			return s.file.cursor, err
		}
		s.file = next
	}
	if s.part.events == 0 {
		s.dead.synced()
	}
	saved := s.cursor
	s.saved.Store(&saved)
	return saved, nil
}
