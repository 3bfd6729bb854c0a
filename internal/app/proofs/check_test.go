// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// checker compares, after the server has ended.
type checker struct {
	dir     string
	senders []*sender

	copy     []copied                    // the whole stream
	inSpool  map[string]map[event.ID]int // how often each id is in the copy, by source
	log      []*alert.Entry
	said     []string // alerts of the uninterrupted correlator, as JSON
	derived  map[event.ID]bool
	finished spool.Cursor // of the store
}

func (c *checker) check(ctx context.Context, t *testing.T) {
	t.Helper()
	began := time.Now()
	phase := func(name string) {
		t.Logf("%s in %v", name, time.Since(began).Round(time.Millisecond))
		began = time.Now()
	}
	c.open(ctx, t)
	phase("opened")
	c.stream(t)
	phase("stream")
	c.export(ctx, t)
	phase("export")
	c.correlate(t)
	phase("correlate")
	c.alerts(t)
	phase("alerts")
}

// open copies the rest of the stream and reads the alert log.
func (c *checker) open(ctx context.Context, t *testing.T) {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	srv, err := spool.OpenServer(spool.ServerConfig{Dir: filepath.Join(c.dir, "data"), Reserve: -1, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	s, err := spool.Open(ctx, srv, spool.Config{Tick: -1, Log: quiet, Readers: []string{"store", "correlator", "copy"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lines, _, err := readCopy(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) == 0 {
		t.Fatal("nothing was copied")
	}
	at := lines[len(lines)-1].Cursor
	if !at.Equal(s.End()) {
		for r, err := range s.Read(ctx, at) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, copyOf(at, &r))
			if at = at.Advance(&r); at.Equal(s.End()) {
				break
			}
		}
	}
	c.copy = lines
	log, err := alert.Open(ctx, alert.Config{JS: srv.JetStream()})
	if err != nil {
		t.Fatal(err)
	}
	n, _, err := log.Verify(ctx)
	if err != nil {
		t.Fatalf("the alert log: %v", err)
	}
	if n == 0 {
		t.Fatal("the alert log is empty")
	}
	for e, err := range log.Subscribe(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if c.log = append(c.log, e); e.N == n {
			break
		}
	}
}

// stream checks that the copy is whole and that it has each id once.
func (c *checker) stream(t *testing.T) {
	t.Helper()
	c.inSpool = map[string]map[event.ID]int{}
	for i := range c.copy {
		l := &c.copy[i]
		if l.At.Seq != uint64(i)+1 {
			t.Fatalf("record %d of the copy has the sequence %d", i+1, l.At.Seq)
		}
		r, err := l.record()
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == spool.KindControl {
			t.Fatalf("record %v switches rules: nobody asked for that", r.At)
		}
		for _, b := range r.Batches {
			ids := c.inSpool[b.Source()]
			if ids == nil {
				ids = map[event.ID]int{}
				c.inSpool[b.Source()] = ids
			}
			for e := range b.Events() {
				if ids[e.ID()]++; ids[e.ID()] > 1 {
					t.Errorf("%s: unit %d is in the spool %d times", b.Source(), e.ID().Unit(), ids[e.ID()])
				}
			}
		}
	}
}

// export reads everything that the index has, and compares it with what was acknowledged and with the copy.
func (c *checker) export(ctx context.Context, t *testing.T) {
	t.Helper()
	s, err := local.Open(local.Config{Dir: filepath.Join(c.dir, "data", "store"), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c.finished = s.Cursor()
	exported := map[event.ID]int{}
	for e, err := range s.Events(ctx, store.NewQuery(access.Everything(), nil, time.Time{}, time.Time{})) {
		if err != nil {
			t.Fatal(err)
		}
		exported[e.ID()]++
	}
	total, again := 0, 0
	for _, x := range c.senders {
		for u := range x.acked.Load() {
			id := event.MakeID(x.source, 1, u, 0)
			if n := exported[id]; n != 1 {
				t.Errorf("%s: unit %d was acknowledged and is in the export %d times", x.source, u, n)
			}
		}
		total, again = total+int(x.acked.Load()), again+x.again
		if n := len(c.inSpool[x.source]); n != int(x.acked.Load()) {
			t.Errorf("%s: %d units acknowledged, %d in the spool", x.source, x.acked.Load(), n)
		}
	}
	// Whatever the source: the records that the index has reached are in it, and nothing else is.
	want := map[event.ID]string{}
	for i := range c.copy {
		if !c.finished.Has(c.copy[i].At) {
			break
		}
		r, _ := c.copy[i].record()
		for _, b := range r.Batches {
			for e := range b.Events() {
				want[e.ID()] = b.Source()
			}
		}
	}
	bad := 0
	for id, source := range want {
		if exported[id] != 1 && bad < 20 {
			bad++
			t.Errorf("%s: event %v is in the export %d times", source, id, exported[id])
		}
	}
	for id := range exported {
		if want[id] == "" && bad < 40 {
			bad++
			t.Errorf("event %v is in the export and not in the stream", id)
		}
	}
	t.Logf("%d units acknowledged, %d sent again, %d events exported, %d records", total, again, len(exported),
		len(c.copy))
}

// engine is what a correlator of this server is made of.
func (c *checker) engine(t *testing.T) correlator.Config {
	t.Helper()
	cfg, err := config.Load(filepath.Join(c.dir, "haidang.yml"))
	if err != nil {
		t.Fatal(err)
	}
	rules, _, err := app.LoadRules(cfg.BuiltinRules, cfg.Rules...)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := asset.Load(asset.Config{Inventory: cfg.Inventory})
	if err != nil {
		t.Fatal(err)
	}
	return correlator.Config{Rules: rules, Policy: inv.Policy(), Inventory: inv}
}

// correlate runs a correlator over the copy, from the first record to the last.
func (c *checker) correlate(t *testing.T) {
	t.Helper()
	e, err := correlator.New(c.engine(t))
	if err != nil {
		t.Fatal(err)
	}
	c.derived = map[event.ID]bool{}
	for i := range c.copy {
		r, err := c.copy[i].record()
		if err != nil {
			t.Fatal(err)
		}
		out, err := e.Process(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range out.Alerts {
			c.said = append(c.said, text(a))
		}
		for _, b := range out.Derived {
			for ev := range b.Events() {
				c.derived[ev.ID()] = true
			}
		}
	}
	st := e.Stats()
	t.Logf("uninterrupted: %d emissions, %d derived events, %d matches, %d late", len(c.said), len(c.derived),
		st.Matches, st.Late)
}

// alerts compares the log with what the uninterrupted correlator said. The server may have ended before it read the
// last records, but not before those that its last checkpoint covers.
func (c *checker) alerts(t *testing.T) {
	t.Helper()
	saved := c.saved(t)
	rules, updates := map[string]int{}, 0
	for i, e := range c.log {
		if !e.Kind.Emission() {
			t.Fatalf("entry %d is no emission: %s", e.N, e.Kind)
		}
		got := text(e.Alert)
		if i >= len(c.said) {
			t.Fatalf("entry %d was never said: %s", e.N, got)
		}
		if got != c.said[i] {
			t.Fatalf("entry %d differs\nlog:           %.2000s\nuninterrupted: %.2000s", e.N, got, c.said[i])
		}
		rules[e.Alert.Rule.Title]++
		if e.Kind == alert.Updated {
			updates++
		}
	}
	for _, missing := range c.said[len(c.log):] {
		var a alert.Alert
		if err := json.Unmarshal([]byte(missing), &a); err != nil {
			t.Fatal(err)
		}
		if saved.Has(spool.Position(a.Position)) {
			t.Fatalf("the log lacks an emission: %.2000s", missing)
		}
	}
	for id := range c.inSpool[correlator.SourceDerived] {
		if !c.derived[id] {
			t.Errorf("derived event of unit %d: the uninterrupted correlator does not make it", id.Unit())
		}
	}
	for id := range c.derived {
		if c.inSpool[correlator.SourceDerived][id] == 0 && saved.Has(spool.Position{Seq: id.Unit()}) {
			t.Errorf("derived event of unit %d is not in the spool", id.Unit())
		}
	}
	for n := range c.inSpool[alert.Source] {
		if n.Unit() == 0 || n.Unit() > uint64(len(c.log)) {
			t.Errorf("the spool has a signal of entry %d, which there is not", n.Unit())
		}
	}
	t.Logf("%d entries, %d of them updates, %d signals in the spool, by rule: %v", len(c.log), updates,
		len(c.inSpool[alert.Source]), rules)
	if updates == 0 || len(rules) < 5 || len(c.inSpool[correlator.SourceDerived]) == 0 {
		t.Error("that is too little to prove anything")
	}
}

// saved is how far the server's last checkpoint goes.
func (c *checker) saved(t *testing.T) spool.Cursor {
	t.Helper()
	saver := correlator.Checkpointer{Dir: filepath.Join(c.dir, "data", "correlator")}
	e, damaged, err := saver.Load(c.engine(t))
	if err != nil || len(damaged) > 0 {
		t.Fatal(err, damaged)
	}
	return e.Cursor()
}

func text(a *alert.Alert) string {
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(data)
}
