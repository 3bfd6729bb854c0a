// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// metaIncarnation is the key of the stream's metadata that holds its incarnation.
const metaIncarnation = "haidang-incarnation"

// Spool is one stream with its one writer, and any number of readers. Safe for concurrent use.
type Spool struct {
	cfg         Config
	srv         *Server
	subject     string
	shard       uint16
	incarnation Incarnation
	clock       *clock // the committer's
	send        sendFunc
	encodings   sync.Pool // of *[]byte that batches are encoded into before they are copied into a record

	mu              sync.Mutex // guards what follows
	table           map[string]*source
	queue           []*group
	free            [][]byte
	last            uint64 // acknowledged
	lastClock       int64
	err             error // closed, or fenced
	stats           Stats
	skew            time.Duration
	stuck           bool // an append waits for the server to be healed
	flight          *group
	flightSince     time.Duration
	room, grown     chan struct{}       // closed and made anew when there is room, or another record
	sinceCheckpoint int64               // bytes of records
	damaged         map[uint64]struct{} // first records of the holes that were told

	files      sync.Mutex // guards the small files and what follows
	readers    map[string]Cursor
	checkpoint uint64 // sequence of the checkpoint on disk
	purged     uint64 // up to here

	committing sync.Mutex // held while a group is published, and by Pause
	purging    sync.Mutex // held while records are deleted; guards pinned
	pinned     int        // how many want that nothing is deleted

	wake      chan struct{}
	closing   chan struct{} // closed by Close
	committed chan struct{} // closed when the committer has ended
	kept      chan struct{} // closed when the keeper has ended
	quit      context.Context
	kill      context.CancelFunc
}

// sendFunc publishes one message, as jetstream.JetStream.PublishMsg does; a test may lose the answer.
type sendFunc func(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error)

// Open opens the stream, makes it when it is not there, reads what came after the last checkpoint, and starts the
// writer. ctx bounds Open alone. Two Spools on one stream fence each other: the one opened last wins.
func Open(ctx context.Context, srv *Server, cfg Config) (*Spool, error) {
	if cfg.Name == "" {
		cfg.Name = "SPOOL"
	}
	if cfg.Tick == 0 {
		cfg.Tick = time.Second
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 10 * time.Second
	}
	if cfg.Checkpoint == 0 {
		cfg.Checkpoint = 30 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = systemTime{time.Now()}
	}
	s := &Spool{cfg: cfg, srv: srv, send: srv.JetStream().PublishMsg,
		subject: "haidang.spool." + cfg.Name, table: map[string]*source{},
		room: make(chan struct{}), grown: make(chan struct{}), wake: make(chan struct{}, 1),
		closing: make(chan struct{}), committed: make(chan struct{}), kept: make(chan struct{})}
	s.quit, s.kill = context.WithCancel(context.Background())
	if err := s.open(ctx); err != nil {
		s.kill()
		return nil, fmt.Errorf("spool: opening stream %s: %w", cfg.Name, err)
	}
	go s.commitLoop()
	go s.keepLoop()
	return s, nil
}

func (s *Spool) open(ctx context.Context) error {
	if err := s.loadReaders(); err != nil {
		return err
	}
	ck, err := loadCheckpoint(s.path(".ranges"))
	if err != nil {
		// What it said is in the records as far as they are kept, and sources whose records are not start anew.
		s.cfg.Log.Error("spool: the checkpoint of ranges is unreadable, rebuilding from the records", "err", err)
		ck = checkpoint{}
	}
	above := ck.Seq
	for _, c := range s.readers {
		above = max(above, c.Seq(s.shard))
	}
	first, last, err := s.stream(ctx, above)
	if err != nil {
		return err
	}
	same := ck.Incarnation == s.incarnation
	for _, c := range ck.Sources {
		s.table[c.Name] = &source{name: c.Name, done: c.ranges()}
	}
	from := max(ck.Seq+1, first)
	if !same || ck.Seq > last || first > ck.Seq+1 {
		// Records are gone whose ranges we do not know: what the checkpoint knows is known, what follows is not a hole.
		for _, src := range s.table {
			src.done.Soft = true
		}
		from = first
	}
	lastClock, err := s.replay(ctx, from, last)
	if err != nil {
		return err
	}
	s.last = last
	s.lastClock = max(lastClock, ck.Clock)
	s.clock = newClock(s.cfg.Clock, s.lastClock)
	if same {
		s.checkpoint = ck.Seq
	}
	return s.fill(ctx, above)
}

// stream opens or makes the stream and returns the first and last sequences it keeps. A new one begins above every
// sequence that a reader or the checkpoint recorded.
func (s *Spool) stream(ctx context.Context, above uint64) (first, last uint64, err error) {
	js := s.srv.JetStream()
	cfg := jetstream.StreamConfig{
		Name:        s.cfg.Name,
		Subjects:    []string{s.subject},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    -1,
		MaxMsgSize:  maxPayload,
		Replicas:    1,
		AllowDirect: true,
	}
	if s.cfg.MaxBytes > 0 {
		cfg.MaxBytes = s.cfg.MaxBytes
	}
	st, err := js.Stream(ctx, s.cfg.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		cfg.Metadata = map[string]string{metaIncarnation: rand.Text()[:16]}
		cfg.FirstSeq = above + 1
		if st, err = js.CreateStream(ctx, cfg); err != nil {
			return 0, 0, err
		}
	case err != nil:
		return 0, 0, err
	default:
		have := st.CachedInfo().Config
		cfg.Metadata, cfg.FirstSeq = have.Metadata, have.FirstSeq
		if have.Metadata[metaIncarnation] == "" {
			return 0, 0, errors.New("it is a stream of something else: it has no incarnation")
		}
		if have.MaxBytes != cfg.MaxBytes || have.MaxMsgSize != cfg.MaxMsgSize {
			if st, err = js.UpdateStream(ctx, cfg); err != nil {
				return 0, 0, err
			}
		}
	}
	info, err := st.Info(ctx)
	if err != nil {
		return 0, 0, err
	}
	s.incarnation = Incarnation(info.Config.Metadata[metaIncarnation])
	return info.State.FirstSeq, info.State.LastSeq, nil
}

// replay takes the records [from, last] into the table and returns the clock of the last record.
func (s *Spool) replay(ctx context.Context, from, last uint64) (lastClock int64, err error) {
	if from > last {
		from = last // for its clock
	}
	for next := from; next <= last && last > 0; {
		msgs, err := s.fetch(ctx, next, fetchRecords)
		if err != nil {
			return 0, err
		}
		if len(msgs) == 0 {
			break // made empty: its last sequence has no record
		}
		for _, m := range msgs {
			next = m.seq + 1
			f, err := parseFrame(m.data)
			if err == nil && f.kind == KindBatches {
				err = f.entries(func(e *entry) error { s.learn(e, f.clock); return nil })
			}
			if err != nil {
				return 0, fmt.Errorf("record %d: %w", m.seq, err)
			}
			lastClock = f.clock
		}
	}
	return lastClock, nil
}

// learn takes a stored entry into the table: it was judged when it was stored.
func (s *Spool) learn(e *entry, clock int64) {
	src := s.table[e.source]
	if src == nil {
		src = &source{name: e.source}
		s.table[e.source] = src
	}
	soft := src.done
	soft.Soft = true
	if v, _, after, _ := soft.admit(e.source, e.span); v == accept {
		src.done = after
		src.done.Seen = clock
	}
}

// fill appends ticks until the last sequence reaches above: a stream that lost its end (a disk restored from an older
// image) must not give sequences again that readers have recorded.
func (s *Spool) fill(ctx context.Context, above uint64) error {
	if s.last == 0 || s.last >= above {
		return nil
	}
	s.cfg.Log.Error("spool: the stream lost its last records, filling up with ticks", "stream", s.cfg.Name,
		"last", s.last, "recorded", above)
	if above-s.last > 1_000_000 {
		return fmt.Errorf("the last record is %d, but a reader recorded %d: the stream was cut; move it away, and it "+
			"is made anew", s.last, above)
	}
	for s.last < above {
		if err := ctx.Err(); err != nil {
			return err
		}
		g := s.newGroup(KindTick)
		if err := s.publish(g); err != nil {
			return err
		}
		s.last = g.at.Seq
	}
	return nil
}

// Close stops the writer: what is being published is finished, what waits behind it fails with ErrClosed. The Server
// stays open.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.err != ErrClosed {
		s.err = ErrClosed
		close(s.closing)
	}
	queue := s.queue
	s.queue = nil
	for _, g := range queue {
		g.err = ErrClosed
		close(g.done)
	}
	close(s.room)
	s.room = make(chan struct{})
	s.mu.Unlock()
	select {
	case <-s.committed:
	case <-time.After(s.cfg.Deadline):
	}
	s.kill()
	<-s.committed
	<-s.kept
	return s.writeCheckpoint()
}

// path returns the name of one of the stream's small files.
func (s *Spool) path(ext string) string {
	return filepath.Join(s.srv.Dir(), "spool", s.cfg.Name+ext)
}
