// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/haidang-soc/haidang/internal/access"
)

// Stream and Subject are where the log is kept in JetStream.
const (
	Stream  = "ALERTS"
	Subject = "haidang.alerts"
)

// Config says where a Log is kept.
type Config struct {
	JS       jetstream.JetStream
	Replicas int              // of the stream in a cluster; 0 is 1
	Now      func() time.Time // nil is time.Now; stamps entries, never windows

	// Room, if set, is asked before each append; its error refuses it. The alert log may use the last of the disk, but
	// must not fill it.
	Room func() error

	// Progress, if set, is told during Open how many of the messages of the stream have been read.
	Progress func(done, total uint64)
}

// Log is the append-only log of alerts with its projection. Several servers may write one log: each entry is published
// with the sequence it must follow, so the chain never forks. Safe for concurrent use.
type Log struct {
	cfg    Config
	stream jetstream.Stream
	codec  *codec
	proj   *Projection

	writing sync.Mutex // held by the one publish of this process that is in flight

	mu      sync.Mutex
	seq     uint64        // last message of the stream that is applied
	head    head          // last entry applied
	broken  *BrokenError  // first break of the chain that applying met
	tail    []*Entry      // the last entries, for subscribers
	marks   []mark        // where entries are in the stream, every so often
	changed chan struct{} // closed and replaced when entries are applied
}

// mark says that the message seq begins with entry n.
type mark struct{ n, seq uint64 }

const (
	keepTail  = 256
	markEvery = 64
)

// Open opens the log, making its stream where there is none, and reads all of it into the projection. A chain that is
// broken does not stop it, see Broken. The context bounds Open only.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	stream, err := cfg.JS.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        Stream,
		Description: "haidang: append-only log of alerts; each entry carries the hash of the one before",
		Subjects:    []string{Subject},
		Storage:     jetstream.FileStorage,
		Replicas:    max(cfg.Replicas, 1),
		Discard:     jetstream.DiscardNew,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
	})
	if err != nil {
		return nil, fmt.Errorf("alert: opening the stream %s: %w", Stream, err)
	}
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	proj, err := NewProjection()
	if err != nil {
		return nil, err
	}
	l := &Log{cfg: cfg, stream: stream, codec: codec, proj: proj, changed: make(chan struct{})}
	if err := l.catchUp(ctx, cfg.Progress); err != nil {
		return nil, err
	}
	_, err = proj.Expire(cfg.Now())
	return l, err
}

// Projection returns what lists and single alerts are read from. It follows the log by itself.
func (l *Log) Projection() *Projection { return l.proj }

// Get returns an alert that the scope may see, or ErrNotFound.
func (l *Log) Get(scope access.Scope, id ID) (*State, error) { return l.proj.Get(scope, id) }

// Head returns the number and the hash of the last entry. Kept elsewhere, the pair shows later that nothing up to it
// was cut off or rewritten.
func (l *Log) Head() (uint64, Hash) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head.n, l.head.hash
}

// Broken returns the first break of the chain that was met while reading, nil if there is none. The log goes on after
// a break, since watching must not stop; Verify tells where it is.
func (l *Log) Broken() *BrokenError {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// Emit appends emissions of the correlator, all in one step, and returns how many were new. An update that is not
// higher than the one known of its alert is ignored, so a correlator may repeat itself after a restart. Emit returns
// once the entries are on disk; after an error the caller repeats it.
func (l *Log) Emit(ctx context.Context, alerts ...*Alert) (int, error) {
	for _, a := range alerts {
		if a.ID.IsZero() || a.Update == 0 || a.Severity > Critical {
			return 0, fmt.Errorf("alert: emission of rule %s: needs an id, an update from 1 and a known severity", a.Rule.ID)
		}
	}
	appended := 0
	for len(alerts) > 0 {
		n := 0
		for size := 0; n < len(alerts) && (n == 0 || size+sizeOf(alerts[n]) <= l.limit()); n++ {
			size += sizeOf(alerts[n])
		}
		wrote, err := l.append(ctx, func() ([]*Entry, error) { return l.emissions(alerts[:n]) })
		if err != nil {
			return appended, err
		}
		appended += len(wrote)
		alerts = alerts[n:]
	}
	return appended, nil
}

// emissions makes the entries of those alerts that the projection does not know yet.
func (l *Log) emissions(alerts []*Alert) ([]*Entry, error) {
	var out []*Entry
	known := make(map[ID]uint32, len(alerts))
	for _, a := range alerts {
		last, ok := known[a.ID]
		if !ok {
			s, err := l.proj.find(a.ID)
			if err != nil {
				return nil, err
			}
			if s != nil {
				last = s.Alert.Update
			}
		}
		if a.Update <= last {
			continue
		}
		kind := Updated
		if last == 0 {
			kind = Raised
		}
		known[a.ID] = a.Update
		out = append(out, &Entry{At: l.cfg.Now().UnixNano(), Kind: kind, Alert: a})
	}
	return out, nil
}

// Act appends what a person did to an alert that the scope may see, and returns the alert after it. An action that the
// life cycle does not allow is answered with ErrRefused and leaves no trace. Act returns once the entry is on disk.
func (l *Log) Act(ctx context.Context, scope access.Scope, a Action) (*State, error) {
	if err := a.wellFormed(); err != nil {
		return nil, err
	}
	wrote, err := l.append(ctx, func() ([]*Entry, error) {
		s, err := l.proj.Get(scope, a.Alert)
		if err != nil {
			return nil, err
		}
		if err := s.allows(&a); err != nil {
			return nil, err
		}
		if a.Kind == Close && a.Disposition == Duplicate {
			if _, err := l.proj.Get(scope, a.DuplicateOf); err != nil {
				return nil, refuse("duplicate_of: %s: no such alert", a.DuplicateOf)
			}
		}
		done := a
		done.At = l.cfg.Now().UnixNano()
		done.Clocks = slices.Clone(a.Clocks)
		return []*Entry{{At: done.At, Kind: a.Kind, Action: &done}}, nil
	})
	if err != nil {
		return nil, err
	}
	return wrote[0].State, nil
}

// Each try that loses against another writer means that the other one wrote. Other errors are for the caller to judge,
// once it is clear whether the message was stored.
const (
	conflictTries = 100
	errorTries    = 3
)

// append publishes the entries that build makes from the projection as it stands, as one message. Where another writer
// was faster, or the answer was lost, it reads on and tries again.
func (l *Log) append(ctx context.Context, build func() ([]*Entry, error)) ([]*Entry, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.cfg.Room != nil {
		if err := l.cfg.Room(); err != nil {
			return nil, fmt.Errorf("alert: appending to the log: %w", err)
		}
	}
	conflicts, failures := 0, 0
	for {
		entries, err := build()
		if err != nil || len(entries) == 0 {
			return nil, err
		}
		l.mu.Lock()
		seq, after := l.seq, l.head
		l.mu.Unlock()
		data, err := l.fit(entries, after)
		if err != nil {
			return nil, err
		}
		// Every try for one place in the stream has the same bytes: so what stands there tells whether it was ours.
		for {
			ack, err := l.cfg.JS.Publish(ctx, Subject, data,
				jetstream.WithExpectStream(Stream), jetstream.WithExpectLastSequence(seq))
			if err == nil {
				return l.written(ctx, ack.Sequence, entries)
			}
			if conflict(err) {
				conflicts++
			} else {
				failures++
			}
			if ctx.Err() != nil || conflicts > conflictTries || failures > errorTries {
				return nil, fmt.Errorf("alert: appending to the log: %w", err)
			}
			if err := l.catchUp(ctx, nil); err != nil {
				return nil, fmt.Errorf("alert: after a failed append: %w", err)
			}
			msg, err := l.stream.GetMsg(ctx, seq+1)
			if err == nil && bytes.Equal(msg.Data, data) {
				return l.written(ctx, seq+1, entries)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, jetstream.ErrMsgNotFound) {
				return nil, fmt.Errorf("alert: after a failed append: %w", err)
			}
			if l.applied() > seq {
				break // a message that is gone
			}
		}
	}
}

func (l *Log) applied() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}

// written applies what this process has just stored as message seq, and attaches the states.
func (l *Log) written(ctx context.Context, seq uint64, entries []*Entry) ([]*Entry, error) {
	l.mu.Lock()
	if seq == l.seq+1 {
		l.apply(seq, entries, nil)
		l.mu.Unlock()
		return entries, nil
	}
	l.mu.Unlock()
	if err := l.catchUp(ctx, nil); err != nil { // the follower was faster, or other messages lie between
		return nil, err
	}
	for _, e := range entries {
		s, err := l.proj.find(e.ID())
		if err != nil {
			return nil, err
		}
		e.State = s
	}
	return entries, nil
}

// fit packs the entries into a message that the server takes. An emission that is too large loses the original lines
// of its evidence, then the evidence in the middle; the count and the query stay.
func (l *Log) fit(entries []*Entry, after head) ([]byte, error) {
	for {
		data, err := l.codec.encode(entries, after)
		if err != nil {
			return nil, err
		}
		if len(data) <= l.limit() {
			return data, nil
		}
		var largest *Entry
		for _, e := range entries {
			if e.Alert != nil && (largest == nil || sizeOf(e.Alert) > sizeOf(largest.Alert)) {
				largest = e
			}
		}
		if largest == nil || len(largest.Alert.Evidence) == 0 {
			return nil, fmt.Errorf("alert: a step of %d bytes is more than the server takes (%d)", len(data), l.limit())
		}
		largest.Alert = largest.Alert.smaller()
	}
}

// limit is the largest message that the server takes, less room for headers.
func (l *Log) limit() int { return int(l.cfg.JS.Conn().MaxPayload()) - 4096 }

// sizeOf estimates the encoded size of an alert, in bytes.
func sizeOf(a *Alert) int {
	n := 2048
	for i := range a.Evidence {
		n += 100 + len(a.Evidence[i].Original)
		for _, kv := range a.Evidence[i].Fields {
			n += 30 + len(kv.Field) + len(kv.Value)
		}
	}
	return n
}

// smaller returns a copy with less evidence.
func (a *Alert) smaller() *Alert {
	c := *a
	c.Evidence = slices.Clone(a.Evidence)
	had := false
	for i := range c.Evidence {
		had = had || c.Evidence[i].Original != ""
		c.Evidence[i].Original = ""
	}
	if !had {
		n := len(c.Evidence)
		c.Evidence = slices.Delete(c.Evidence, n/4, n-n/4)
		if n < 4 {
			c.Evidence = nil
		}
	}
	return &c
}

// conflict reports whether an error says that another writer was faster.
func conflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
