// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/spool"
)

// story is a few minutes in which every kind of state comes and goes.
func story(seed uint64, n int) *stream {
	r := rand.New(rand.NewPCG(seed, 1))
	s := newStream()
	users := []string{"an", "Bình", "chi", "Đặng", "e\u0302m"}
	actions := []string{"fail", "fail", "fail", "ok", "clear", "a"}
	at := int64(1000)
	for range n {
		at += r.Int64N(4000)
		s.play(at, line{at: at - r.Int64N(1500), arrive: at, from: string(rune('a' + r.IntN(3))),
			action: actions[r.IntN(len(actions))], src: []string{"1.1.1.1", "2.2.2.2"}[r.IntN(2)],
			user: users[r.IntN(len(users))], level: r.IntN(5), bytes: r.IntN(600), flow: r.IntN(6) == 0})
		if r.IntN(20) == 0 {
			s.from("10.1.1.5", at, at, nil) // of a system whose silence is minded
		}
	}
	s.until(at + 400_000)
	return s
}

func TestRestartAtEveryRecord(t *testing.T) {
	s := story(7, 60)
	inv := province(t, "")
	set := compileTest(t, streamRules+"\n---\n"+laneRules)
	cfg := Config{Rules: set, Policy: inv.Policy(), Inventory: inv, Limits: Limits{Evidence: 100}}
	whole, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := run(t, whole, s.recs)
	if len(want) < 20 {
		t.Fatalf("the story is too quiet: %q", short(want))
	}
	e, _ := New(cfg)
	var got []*alert.Alert
	for i, r := range s.recs {
		out, err := e.Process(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, out.Alerts...)
		if r.Kind == spool.KindTick && i%7 > 0 {
			continue
		}
		data, err := e.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		if e, err = Restore(cfg, data); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		again, err := e.Checkpoint()
		if err != nil || !e.Cursor().Has(r.At) {
			t.Fatalf("record %d: %v", i, err)
		}
		if len(again) != len(data) {
			t.Fatalf("record %d: a checkpoint of the restored engine differs", i)
		}
	}
	if d := cmp.Diff(asJSON(t, want), asJSON(t, got)); d != "" {
		t.Errorf("restarts change alerts (-want +got):\n%s", d)
	}
}

func asJSON(t testing.TB, list []*alert.Alert) []string {
	t.Helper()
	var out []string
	for _, a := range list {
		doc, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(doc))
	}
	return out
}

func TestReloadKeepsUnchangedRules(t *testing.T) {
	other := testRules + "\n---\ntitle: Mới\nid: new\nlevel: low\nlogsource: {product: test}\n" +
		"detection: {sel: {event.action: clear}, condition: sel}\n"
	first, second := compileTest(t, testRules), compileTest(t, other)
	e, err := New(Config{Rules: first, Policy: asset.DefaultPolicy(),
		Switch: func(any) (Setup, error) { return Setup{Rules: second}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	f := func(at int64) line { return line{at: at, from: "a", action: "fail", src: "1.1.1.1"} }
	s := newStream().play(2000, f(1000), f(1100), f(1200))
	s.add(spool.KindControl)
	s.play(40_000, f(2500), line{at: 2600, from: "a", action: "clear"})
	same(t, short(run(t, e, s.recs)), []string{"clear/1 n=1 sev=2 level=0", "new/1 n=1 sev=1 level=0",
		"guess/1 n=4 sev=1 level=0"})

	// A rule that means something else begins anew, and its alert ends.
	changed := compileTest(t, string(bytes.ReplaceAll([]byte(testRules), []byte("gte: 4"), []byte("gte: 5"))))
	e.cfg.Switch = func(any) (Setup, error) { return Setup{Rules: changed}, nil }
	n := len(s.recs)
	s.add(spool.KindControl)
	s.play(55_000, f(50_000))
	same(t, short(run(t, e, s.recs[n:])), []string{"new/2 n=1 sev=1 level=0 final", "guess/2 n=4 sev=1 level=0 final"})
}

// TestRestoreWithOtherRules: the alerts of rules that are gone end, once, with the next record.
func TestRestoreWithOtherRules(t *testing.T) {
	e := newEngine(t, testRules)
	s := newStream().play(3000, line{at: 1000, from: "a", action: "clear"})
	same(t, short(run(t, e, s.recs)), []string{"clear/1 n=1 sev=2 level=0"})
	data, err := e.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Rules: compileTest(t, laneRules), Policy: asset.DefaultPolicy()}
	if e, err = Restore(cfg, data); err != nil {
		t.Fatal(err)
	}
	if data, err = e.Checkpoint(); err != nil { // before a record was processed
		t.Fatal(err)
	}
	if e, err = Restore(cfg, data); err != nil {
		t.Fatal(err)
	}
	n := len(s.recs)
	s.until(5000)
	got := run(t, e, s.recs[n:])
	same(t, short(got), []string{"clear/2 n=1 sev=2 level=0 final"})
	if got[0].Position.Seq != uint64(n) {
		t.Errorf("it ended at %v, want %d", got[0].Position, n)
	}
}

func TestCheckpointer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "correlator")
	c := &Checkpointer{Dir: dir}
	cfg := Config{Rules: compileTest(t, testRules), Policy: asset.DefaultPolicy()}
	e, damaged, err := c.Load(cfg)
	if err != nil || len(damaged) > 0 || !e.Cursor().IsZero() {
		t.Fatal(err, damaged)
	}
	s := story(1, 12)
	third := len(s.recs) / 3
	var cursors []spool.Cursor
	for i := range 3 {
		run(t, e, s.recs[i*third:(i+1)*third])
		safe, err := c.Save(e)
		if err != nil {
			t.Fatal(err)
		}
		cursors = append(cursors, e.Cursor())
		if i == 0 && !safe.IsZero() || i > 0 && !safe.Equal(cursors[i-1]) {
			t.Errorf("after %d saves the spool may be trimmed to %v", i+1, safe)
		}
	}
	files, err := c.files()
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	if c.Due(time.Now()) || !c.Due(time.Now().Add(11*time.Second)) {
		t.Error("due now, or not in 11 s")
	}
	corrupt := func(i int) {
		path := filepath.Join(dir, files[i].name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	corrupt(0)
	back, damaged, err := c.Load(cfg)
	if err != nil || len(damaged) != 1 || !back.Cursor().Equal(cursors[1]) {
		t.Fatalf("with the newest damaged: cursor %v, %v, %v", back.Cursor(), damaged, err)
	}
	corrupt(1)
	if _, damaged, err = c.Load(cfg); !errors.Is(err, ErrCheckpoint) || len(damaged) != 2 {
		t.Errorf("with both damaged: %v, %v", err, damaged)
	}
}

func TestOracleOrder(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 2))
		var lines []line
		at, units := int64(1000), map[string]uint64{}
		for range 80 {
			at += r.Int64N(3000)
			l := line{at: at, from: string(rune('a' + r.IntN(3))), action: []string{"fail", "fail", "ok", "a"}[r.IntN(4)],
				src: []string{"1.1.1.1", "2.2.2.2"}[r.IntN(2)], user: []string{"an", "bình"}[r.IntN(2)],
				level: r.IntN(5), bytes: r.IntN(600), flow: r.IntN(4) == 0}
			units[l.from]++
			l.unit = units[l.from]
			lines = append(lines, l)
		}
		var want string
		for turn := range 4 {
			shuffled := arrivals(lines, rand.New(rand.NewPCG(seed, uint64(turn))), turn)
			e := newEngine(t, testRules+"\n---\n"+laneRules)
			got := finals(t, run(t, e, newStream().play(at+800_000, shuffled...).recs))
			if late := e.Stats().Late; late > 0 {
				t.Fatalf("seed %d: %d events were late", seed, late)
			}
			switch {
			case turn == 0:
				want = got
			case got != want:
				t.Fatalf("seed %d, order %d:\n%s", seed, turn, cmp.Diff(want, got))
			}
		}
	}
}

// arrivals delays every line by less than the lateness, at random but for turn 0, and sorts by arrival.
func arrivals(lines []line, r *rand.Rand, turn int) []line {
	out := append([]line(nil), lines...)
	for i := range out {
		if out[i].arrive = out[i].at; turn > 0 {
			if out[i].arrive += r.Int64N(1990); out[i].flow {
				out[i].arrive += r.Int64N(57_000)
			}
		}
	}
	for i := range out {
		for j := i; j > 0 && out[j].arrive < out[j-1].arrive; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// finals writes the last emission of every correlation's alert without what depends on arrival.
func finals(t testing.TB, list []*alert.Alert) string {
	t.Helper()
	last := map[alert.ID]*alert.Alert{}
	for _, a := range list {
		if len(a.Group) > 0 && a.Rule.ID != "clear" {
			last[a.ID] = a
		}
	}
	var lines []string
	for _, a := range last {
		if !a.Final {
			t.Errorf("alert %s of %s never ended", a.ID, a.Rule.ID)
		}
		c := *a
		c.Update, c.Position, c.At, c.Since = 0, alert.Position{}, 0, 0
		lines = append(lines, asJSON(t, []*alert.Alert{&c})...)
	}
	return sortedLines(lines)
}
