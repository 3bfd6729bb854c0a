// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// What one request asks for: as many records as fit fetchBytes, at least one.
const (
	fetchRecords = 256
	fetchBytes   = 8 << 20
)

// message is a stored record, not parsed yet.
type message struct {
	seq  uint64
	data []byte
}

// Read yields the records after from, in order, for ever: it waits for new ones, and ends without an error when ctx
// is done. A zero cursor begins with the first record kept. The error, after which nothing more comes, is *ErrGap
// when records after from were deleted, *ErrIncarnation when from is of another stream, ErrClosed, or a damaged record.
// Records in the middle of the stream that the disk has damaged are passed over and told to Config.OnDamage: watching
// must not stop for them. While the server does not answer, Read waits. Each call reads by itself; any number may run.
func (s *Spool) Read(ctx context.Context, from Cursor) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		m := from.mark(s.shard)
		if m != (Mark{}) && m.Incarnation != s.incarnation {
			yield(Record{}, &ErrIncarnation{Shard: s.shard, Have: s.incarnation, Got: m.Incarnation})
			return
		}
		next := m.Seq + 1
		anywhere := m.Seq == 0
		for {
			if err := s.await(ctx, next); err != nil {
				if ctx.Err() == nil {
					yield(Record{}, err)
				}
				return
			}
			msgs, err := s.fetchAgain(ctx, next)
			if err != nil {
				if ctx.Err() == nil {
					yield(Record{}, err)
				}
				return
			}
			for _, msg := range msgs {
				if msg.seq != next && !anywhere && !s.pass(ctx, next, msg.seq) {
					yield(Record{}, &ErrGap{Shard: s.shard, From: next, First: msg.seq})
					return
				}
				r, err := s.parse(msg)
				if !yield(r, err) || err != nil {
					return
				}
				next, anywhere = msg.seq+1, false
			}
		}
	}
}

// parse checks and decodes a message.
func (s *Spool) parse(m message) (Record, error) {
	f, err := parseFrame(m.data)
	var r Record
	if err == nil {
		r, err = f.decode()
	}
	if err != nil {
		return Record{}, fmt.Errorf("spool: reading record %d of stream %s: %w", m.seq, s.cfg.Name, err)
	}
	r.At, r.Incarnation = Position{s.shard, m.seq}, s.incarnation
	return r, nil
}

// await returns once record seq is acknowledged: what is stored but not known to be on disk is not read.
func (s *Spool) await(ctx context.Context, seq uint64) error {
	for {
		s.mu.Lock()
		last, grown, err := s.last, s.grown, s.err
		s.mu.Unlock()
		if seq <= last {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if seq > last+1 {
			return fmt.Errorf("spool: stream %s: the cursor is at %d, beyond its last record %d", s.cfg.Name, seq-1, last)
		}
		select {
		case <-grown:
		case <-s.quit.Done():
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fetchAgain fetches acknowledged records from seq on, at least one, until the server answers.
func (s *Spool) fetchAgain(ctx context.Context, seq uint64) ([]message, error) {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		s.mu.Lock()
		grown := s.grown
		s.mu.Unlock()
		msgs, err := s.fetch(ctx, seq, fetchRecords)
		if err == nil {
			last := s.lastSeq()
			for len(msgs) > 0 && msgs[len(msgs)-1].seq > last {
				msgs = msgs[:len(msgs)-1]
			}
			if len(msgs) > 0 {
				return msgs, nil
			}
			// A stream made anew, with nothing in it yet.
		} else {
			grown = nil
			if wait >= time.Second && ctx.Err() == nil {
				s.cfg.Log.Warn("spool: reading, trying again", "stream", s.cfg.Name, "from", seq, "err", err)
			}
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.quit.Done():
			return nil, ErrClosed
		case <-time.After(wait):
		}
	}
}

// fetch asks the stream once for up to n records from seq on; none are an empty answer without an error.
func (s *Spool) fetch(ctx context.Context, seq uint64, n int) ([]message, error) {
	ctx, cancel := s.srv.bound(ctx, s.cfg.Deadline)
	defer cancel()
	nc := s.srv.Conn()
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, err
	}
	req, err := json.Marshal(map[string]any{"seq": seq, "batch": n, "max_bytes": fetchBytes})
	if err != nil {
		return nil, err
	}
	if err := nc.PublishRequest("$JS.API.DIRECT.GET."+s.cfg.Name, inbox, req); err != nil {
		return nil, err
	}
	var out []message
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		switch status := m.Header.Get("Status"); status {
		case "":
			q, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
			if err != nil {
				return nil, errors.New("direct get without a sequence")
			}
			out = append(out, message{q, m.Data})
		case "204": // the end of the batch
			return out, nil
		case "404":
			return nil, nil
		case "503":
			return nil, nats.ErrNoResponders
		default:
			return nil, fmt.Errorf("direct get: %s %s", status, m.Header.Get("Description"))
		}
	}
}

// lastSeq returns the last acknowledged sequence.
func (s *Spool) lastSeq() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
