// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/storetest"
)

func records(first, last uint64) []*spool.Record {
	return storetest.Generator{Base: storetest.Base(), PerRecord: 40}.Records(first, last)
}

func open(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end() })
	return s
}

func appendAll(t *testing.T, s *Store, list []*spool.Record) {
	t.Helper()
	for _, r := range list {
		for try := 1; ; try++ {
			err := s.Append(t.Context(), r)
			if err == nil {
				break
			}
			if try == 20 {
				t.Fatalf("Append, %d times: %v", try, err)
			}
		}
	}
}

// mustSync syncs, again after an error, and checks how far.
func mustSync(t *testing.T, s *Store, want uint64) {
	t.Helper()
	for try := 1; ; try++ {
		c, err := s.Sync(t.Context())
		if err == nil {
			if c.Seq(0) != want || !s.Cursor().Equal(c) {
				t.Fatalf("Sync = %v, want the cursor at %d", c, want)
			}
			return
		}
		if c.Seq(0) >= want {
			t.Fatalf("Sync = %v with the error %v", c, err)
		}
		if try == 20 {
			t.Fatalf("Sync, %d times: %v", try, err)
		}
	}
}

// checkOnce compares how often ids are held with the events of records.
func checkOnce(t *testing.T, held map[string]int, list []*spool.Record) {
	t.Helper()
	want, double, lost := 0, 0, 0
	for _, r := range list {
		for _, b := range r.Batches {
			for e := range b.Events() {
				want++
				switch n := held[e.ID().String()]; {
				case n == 0:
					lost++
				case n > 1:
					double++
				}
				delete(held, e.ID().String())
			}
		}
	}
	if lost+double+len(held) > 0 {
		t.Errorf("of %d events %d are missing, %d double, %d foreign", want, lost, double, len(held))
	}
}

// one makes a record of one event.
func one(seq uint64, fill func(*event.Builder)) *spool.Record { return oneOf("listener/x", seq, fill) }

func oneOf(source string, seq uint64, fill func(*event.Builder)) *spool.Record {
	b := event.NewBuilder(source, 1)
	b.Begin(seq, 0)
	b.Time(event.Timestamp, time.Date(2026, 11, 24, 2, 10, 0, 5, time.UTC).UnixNano())
	fill(b)
	b.End()
	return &spool.Record{At: spool.Position{Seq: seq}, Incarnation: storetest.Incarnation, Kind: spool.KindBatches,
		Batches: []*event.Batch{b.Batch(seq, seq+1)}}
}

func TestAppendSkipsWhatItHas(t *testing.T) {
	c := newCluster(t)
	cfg := c.config(t)
	s := open(t, cfg)
	list := records(1, 6)
	appendAll(t, s, list[:4])
	mustSync(t, s, 4)
	appendAll(t, s, list[2:])
	appendAll(t, s, []*spool.Record{{At: spool.Position{Seq: 7}, Incarnation: storetest.Incarnation, Kind: spool.KindTick}})
	mustSync(t, s, 7)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c.exactly(t, list)
	if n := s.Counts(); n.Stored != 6*40 || n.Known+n.LookedUp+n.Dead+n.Waited > 0 {
		t.Errorf("counts %+v", n)
	}
	s = open(t, cfg)
	if got := s.Cursor().Seq(0); got != 7 {
		t.Errorf("cursor at %d after Close, want 7", got)
	}
	appendAll(t, s, records(5, 9))
	mustSync(t, s, 9)
	if n := s.Counts(); n.LookedUp > 0 {
		t.Errorf("%d ids looked up after a clean end", n.LookedUp)
	}
	if err := s.Append(t.Context(), records(10, 10)[0]); err != nil {
		t.Error(err)
	}
	_ = s.Close()
	if err := s.Append(t.Context(), records(11, 11)[0]); !errors.Is(err, errClosed) {
		t.Errorf("Append after Close: %v", err)
	}
}

func TestDocuments(t *testing.T) {
	c := newCluster(t)
	cfg := c.config(t)
	cfg.Class = func(e event.Event) int {
		v, _ := e.Get(event.HaidangLevel)
		return int(v.Int())
	}
	s := open(t, cfg)
	for i, text := range []string{norm.NFC.String("Đăng nhập thất bại"), norm.NFD.String("Đăng nhập thất bại")} {
		appendAll(t, s, []*spool.Record{one(uint64(i+1), func(b *event.Builder) {
			b.Str(event.EventOriginal, text)
			b.Int(event.HaidangLevel, 31)
			b.Extra("thiết bị", "x")
			b.Str(event.EventDataset, []string{"sshd.auth", "netflow.flow"}[i])
		})})
	}
	future := time.Now().Add(48 * time.Hour)
	appendAll(t, s, []*spool.Record{one(3, func(b *event.Builder) {
		b.Time(event.Timestamp, future.UnixNano())
		b.Int(event.HaidangLevel, 4000)
	})})
	mustSync(t, s, 3)
	var got struct {
		Timestamp time.Time `json:"@timestamp"`
		Text      string    `json:"haidang.text"`
		Haidang   struct {
			Claimed time.Time `json:"time_claimed"`
			Extra   map[string]string
		}
	}
	for stream, want := range map[string]string{"event-r90": "dang nhap that bai", "flow-r90": "dang nhap that bai",
		"event-r730": ""} {
		row := c.streams[streamPrefix+stream]
		if len(row) != 1 || len(row[0]) != 1 {
			t.Fatalf("stream %s is %v", stream, row)
		}
		for id, doc := range row[0] {
			got.Haidang.Extra = nil
			if err := json.Unmarshal(doc, &got); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(got.Text, want) || want != "" && got.Haidang.Extra["thiết bị"] != "x" || len(id) != 32 {
				t.Errorf("%s/%s is %s", stream, id, doc)
			}
			if stream == "event-r730" && (!got.Haidang.Claimed.Equal(future) || got.Timestamp.After(time.Now())) {
				t.Errorf("not clamped: %s", doc)
			}
		}
	}
}

func TestSignals(t *testing.T) {
	c := newCluster(t)
	s := open(t, c.config(t))
	seq := uint64(0)
	for _, n := range []int64{1, 3, 2, 3, 4} { // entries of the log, as a replay may bring them
		seq++
		appendAll(t, s, []*spool.Record{oneOf("alerts", seq, func(b *event.Builder) {
			b.Str(event.EventKind, "signal")
			b.Str(event.HaidangAlertID, "0123456789abcdef")
			b.Int(event.HaidangAlertUpdate, 1) // a person's action is no update
			b.Int(event.HaidangAlertEntry, n)
		})})
		mustSync(t, s, seq)
		if got, want := c.versions["0123456789abcdef"], max(n, []int64{1, 3, 3, 3, 4}[seq-1]); got != want {
			t.Errorf("after entry %d the alert is at %d, want %d", n, got, want)
		}
	}
	if len(c.held()) > 0 || s.Counts().Dead > 0 {
		t.Errorf("signals in streams: %v; %+v", c.held(), s.Counts())
	}
	forged := one(seq+1, func(b *event.Builder) {
		b.Str(event.EventKind, "signal")
		b.Str(event.HaidangAlertID, "0123456789abcdef")
		b.Int(event.HaidangAlertEntry, 1000)
	})
	appendAll(t, s, []*spool.Record{forged})
	mustSync(t, s, seq+1)
	if c.versions["0123456789abcdef"] != 4 {
		t.Error("a sender's event overwrote an alert")
	}
	c.exactly(t, []*spool.Record{forged})
}

// TestFaults: whatever happens to requests, and with a rollover behind each of them, every event is there once.
func TestFaults(t *testing.T) {
	every := func(n int, f fault) func(int) fault {
		return func(i int) fault {
			if i%n == 0 {
				return f
			}
			return fault{rollover: true}
		}
	}
	some := func(status int) fault {
		seen := map[string]bool{}
		return fault{rollover: true, item: func(id string) int {
			if !seen[id] && id[31]%3 == 0 {
				seen[id] = true
				return status
			}
			return 0
		}}
	}
	lied := some(504) // a shard that took the document and went away
	lied.lied = true
	for name, f := range map[string]func(int) fault{
		"none":                    nil,
		"cut before":              every(2, fault{before: true}),
		"cut after":               every(2, fault{after: true, rollover: true}),
		"cut after each first":    func(n int) fault { return fault{after: n < 4, rollover: true} },
		"half an answer":          every(3, fault{garbled: true, rollover: true}),
		"429":                     every(2, fault{status: 429}),
		"503":                     every(2, fault{status: 503}),
		"401":                     every(3, fault{status: 401}),
		"some documents 429":      every(2, some(429)),
		"some documents 503":      every(2, some(503)),
		"documents 504, taken":    every(2, lied),
		"some documents 403":      every(2, some(403)),
		"429 and Retry-After":     every(5, fault{status: 429, header: http.Header{"Retry-After": {"0"}}}),
		"an answer about nothing": every(3, fault{status: 200}),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.misbehave = f
			s := open(t, c.config(t))
			list := records(1, 12)
			appendAll(t, s, list)
			mustSync(t, s, 12)
			c.exactly(t, list)
			if n := s.Counts(); n.Dead > 0 || n.Stored+n.Known != 12*40 {
				t.Errorf("counts %+v", n)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	c := newCluster(t)
	cfg := c.config(t)
	s := open(t, cfg)
	huge := one(1, func(b *event.Builder) { b.Str(event.EventOriginal, strings.Repeat("x", 9000)) })
	c.misbehave = func(int) fault { return fault{} }
	limited := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/_bulk" && r.ContentLength > 8000 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		c.ServeHTTP(w, r)
	})
	c.Config.Handler = limited
	appendAll(t, s, append([]*spool.Record{huge}, records(2, 4)...))
	mustSync(t, s, 4)
	c.exactly(t, records(2, 4))
	if n := s.Counts(); n.Dead != 1 {
		t.Errorf("counts %+v, want one dead letter", n)
	}
}

func TestDeadLetters(t *testing.T) {
	c := newCluster(t)
	bad := map[string]bool{}
	list := records(1, 4)
	for e := range list[1].Batches[0].Events() {
		bad[e.ID().String()] = true
	}
	c.misbehave = func(int) fault {
		return fault{item: func(id string) int {
			if bad[id] {
				return http.StatusBadRequest
			}
			return 0
		}}
	}
	cfg := c.config(t)
	s := open(t, cfg)
	appendAll(t, s, list)
	for len(s.pending) > 0 { // settled, but not synced: a crash follows
		if err := s.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(cfg.Dir, "deadletters.ndjson")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"id":"cut off`)
	f.Close()
	s = open(t, cfg)
	appendAll(t, s, list)
	mustSync(t, s, 4)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var l deadLetter
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !bad[l.ID] || l.Status != 400 || l.Reason != "told: so: a: b" || l.Seq != 2 || len(l.Event) < 50 {
			t.Errorf("dead letter %s", line)
		}
		delete(bad, l.ID)
	}
	if len(bad) > 0 {
		t.Errorf("%d dead letters missing", len(bad))
	}
	c.exactly(t, append([]*spool.Record{list[0], {Batches: list[1].Batches[1:]}}, list[2:]...))
}

func TestDeadLettersFull(t *testing.T) {
	c := newCluster(t)
	refuse := true
	c.misbehave = func(int) fault {
		if !refuse {
			return fault{}
		}
		return fault{item: func(string) int { return http.StatusBadRequest }}
	}
	cfg := c.config(t)
	cfg.MaxDead = 5000
	s := open(t, cfg)
	list := records(1, 1)
	appendAll(t, s, list)
	if _, err := s.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "dead letters are full") {
		t.Fatalf("Sync with full dead letters: %v", err)
	}
	c.change(func() { refuse = false })
	mustSync(t, s, 1)
	if n := s.Counts(); n.Dead == 0 || n.Dead+n.Stored != 40 {
		t.Errorf("counts %+v", n)
	}
}

// TestBounded: while the cluster does not answer, Append blocks until its context ends, and the record given again goes
// on where it stopped.
func TestBounded(t *testing.T) {
	c := newCluster(t)
	gate := make(chan struct{})
	c.misbehave = func(int) fault { return fault{block: gate} }
	cfg := c.config(t)
	s := open(t, cfg)
	list := records(1, 30)
	i, stopped := 0, false
	for ; i < len(list) && !stopped; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := s.Append(ctx, list[i]); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			stopped = true
			i--
		}
		cancel()
	}
	if !stopped || len(s.pending) != 2 || len(s.filling.body) > cfg.BulkBytes+100_000 {
		t.Fatalf("%d records taken, %d requests under way, %d bytes more", i, len(s.pending), len(s.filling.body))
	}
	close(gate)
	appendAll(t, s, list[i:])
	mustSync(t, s, 30)
	c.exactly(t, list)
	if n := s.Counts(); n.Known > 0 {
		t.Errorf("%d events sent twice", n.Known)
	}
}

// TestUncleanEnd: what may have been sent before is looked up, also when the indices were rolled over meanwhile, and
// looking ends where that ended.
func TestUncleanEnd(t *testing.T) {
	c := newCluster(t)
	cfg := c.config(t)
	s := open(t, cfg)
	list := records(1, 20)
	appendAll(t, s, list[:5])
	mustSync(t, s, 5)
	appendAll(t, s, list[5:15])
	for len(s.pending) > 0 {
		if err := s.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var before int
	c.change(func() {
		c.rollover()
		before = len(c.held())
	})
	if before <= 5*40 {
		t.Fatal("nothing was sent before the crash")
	}
	s = open(t, cfg)
	if got := s.Cursor().Seq(0); got != 5 {
		t.Fatalf("cursor at %d", got)
	}
	appendAll(t, s, list[5:7])
	mustSync(t, s, 7)
	known := s.Counts().Known
	s = open(t, cfg) // another unclean end, before all that is in doubt came again
	appendAll(t, s, list[7:])
	mustSync(t, s, 20)
	c.exactly(t, list)
	n := s.Counts()
	if n.Known+known != uint64(before)-5*40 || n.LookedUp == 0 {
		t.Errorf("counts %+v, want %d known", n, before-5*40)
	}
}

func TestOtherSpool(t *testing.T) {
	c := newCluster(t)
	cfg := c.config(t)
	s := open(t, cfg)
	appendAll(t, s, records(1, 1))
	mustSync(t, s, 1)
	r := records(2, 2)[0]
	r.Incarnation = "ANOTHER"
	if err := s.Append(t.Context(), r); err == nil || !strings.Contains(err.Error(), "ANOTHER") {
		t.Errorf("Append of another spool's record: %v", err)
	}
	r.At.Shard = 1
	if err := s.Append(t.Context(), r); err == nil {
		t.Error("Append of another shard's record: no error")
	}
	data, err := os.ReadFile(filepath.Join(cfg.Dir, "cursor"))
	if err != nil {
		t.Fatal(err)
	}
	data[len(stateHead)+10] ^= 1
	if err := os.WriteFile(filepath.Join(cfg.Dir, "cursor"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("Open with a damaged cursor: %v", err)
	}
}

// TestRename: after a restore, what the cluster has from after the backup is not created again.
func TestRename(t *testing.T) {
	c := newCluster(t)
	cfg := c.config(t)
	s := open(t, cfg)
	list := records(1, 9)
	appendAll(t, s, list[:4])
	mustSync(t, s, 4)
	backup, err := os.ReadFile(filepath.Join(cfg.Dir, "cursor"))
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, list[4:])
	mustSync(t, s, 9)
	c.change(c.rollover)
	if err := os.WriteFile(filepath.Join(cfg.Dir, "cursor"), backup, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Rename(cfg.Dir, "SOME", "OTHER"); err == nil {
		t.Error("Rename from an incarnation that it does not have: no error")
	}
	if err := Rename(cfg.Dir, storetest.Incarnation, "RESTORED"); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	for _, r := range list[4:] {
		r.Incarnation = "RESTORED"
	}
	appendAll(t, s, list[4:])
	mustSync(t, s, 9)
	c.exactly(t, list)
	if err := Rename(t.TempDir(), "A", "B"); err != nil {
		t.Errorf("Rename of nothing: %v", err)
	}
}
