// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

const streamRules = testRules + `
---
title: Im lặng
id: silence
level: medium
logsource: {product: haidang}
detection: {sel: {event.dataset: haidang.silence}, condition: sel}
haidang: {group_by: [haidang.origin]}
---
title: Lệch giờ
id: skew
level: low
logsource: {product: haidang}
detection: {sel: {event.dataset: haidang.skew}, condition: sel}
`

// province is an inventory with one system of level 3 at 10.1.1.0/24 and one shared address.
func province(t testing.TB, policy string) *asset.Inventory {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cfg := asset.Config{Inventory: write("inventory.yml", `
sites: [{id: dc1, cidrs: [10.1.0.0/16]}]
shared_addresses: [203.0.113.60/32]
units: [{id: ubnd, name: Ủy ban, role: owner}]
systems:
  - id: dvc
    name: Cổng Dịch vụ công
    owner: ubnd
    level: 3
    decision: {status: approved, basis: NĐ 331/2026/NĐ-CP}
    silence: 5m
    components: [{name: web, cidrs: [10.1.1.0/24], site: dc1}]
`)}
	if policy != "" {
		cfg.Policy = write("policy.yml", policy)
	}
	inv, err := asset.Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// from sends one event whose origin is an address; at and now are ms.
func (s *stream) from(addr string, at, now int64, set func(b *event.Builder)) {
	s.until(now)
	s.unit[addr]++
	b := event.NewBuilder("listener/"+addr, 1)
	b.Begin(s.unit[addr], 0)
	b.Time(event.Timestamp, start+at*1e6)
	b.Time(event.EventCreated, start+now*1e6)
	b.IPs(event.ObserverIP, netip.MustParseAddr(addr))
	b.Str(event.HaidangSite, "dc1")
	b.Str(event.HostName, "máy")
	if set != nil {
		set(b)
	}
	b.End()
	s.add(spool.KindBatches, b.Batch(s.unit[addr], s.unit[addr]+1))
}

func withProvince(t testing.TB, change func(*Config)) *Engine {
	t.Helper()
	inv := province(t, "")
	cfg := Config{Rules: compileTest(t, streamRules), Policy: inv.Policy(), Inventory: inv}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSilence(t *testing.T) {
	e := withProvince(t, nil)
	s := newStream()
	s.from("10.1.1.5", 1000, 1000, nil)
	s.from("198.51.100.9", 1000, 1000, nil) // outside: nobody's
	s.until(302_000)
	var derived []event.Event
	var alerts []*alert.Alert
	for _, r := range s.recs {
		out, err := e.Process(r)
		if err != nil {
			t.Fatal(err)
		}
		alerts = append(alerts, out.Alerts...)
		for _, b := range out.Derived {
			if b.Source() != SourceDerived || b.First() != r.At.Seq || b.Last() != r.At.Seq+1 {
				t.Errorf("derived batch %s [%d,%d) at %v", b.Source(), b.First(), b.Last(), r.At)
			}
			derived = append(derived, b.At(0))
		}
	}
	same(t, short(alerts), []string{"silence/1 n=1 sev=3 level=3"})
	if len(derived) != 1 {
		t.Fatalf("%d derived events", len(derived))
	}
	ev := derived[0]
	v, _ := ev.Get(event.HaidangSilenceSeconds)
	if v.Int() != 300 || ev.Text(event.HaidangSystemID) != "dvc" || ev.Text(event.HaidangOrigin) != "10.1.1.5" {
		t.Errorf("event %s", event.AppendJSON(nil, ev, true))
	}
	a := alerts[0]
	if a.Systems[0].Name != "Cổng Dịch vụ công" || a.Units[0] != "ubnd" || len(a.Basis) == 0 || a.Policy == "" {
		t.Errorf("alert %+v", a)
	}
	// Read back from the stream it is not matched again; a source that speaks and falls silent again is a new event.
	n := len(s.recs)
	s.add(spool.KindBatches, ev.Batch())
	s.from("10.1.1.5", 310_000, 310_000, nil)
	s.until(620_000)
	again := run(t, e, s.recs[n:])
	same(t, short(again), []string{"silence/2 n=2 sev=3 level=3"})
}

// TestSilenceAfterStop stops the stream for an hour: that was nobody's silence.
func TestSilenceAfterStop(t *testing.T) {
	e := withProvince(t, nil)
	s := newStream()
	s.from("10.1.1.5", 1000, 1000, nil)
	s.until(10_000)
	s.now = 3_600_000
	s.until(3_700_000)
	same(t, short(run(t, e, s.recs)), nil)
	n := len(s.recs)
	s.until(4_000_000)
	same(t, short(run(t, e, s.recs[n:])), []string{"silence/1 n=1 sev=3 level=3"})

	// The first record after a stop may be what a sender says: it is heard then, not an hour ahead.
	e = withProvince(t, nil)
	s = newStream()
	s.from("10.1.1.5", 1000, 1000, nil)
	s.until(10_000)
	s.now = 3_600_500
	s.from("10.1.1.5", 3_600_500, 3_600_500, nil)
	s.until(3_901_000)
	same(t, short(run(t, e, s.recs)), []string{"silence/1 n=1 sev=3 level=3"})
}

// TestBacklogAfterStop lets senders deliver after a stop what they kept meanwhile: windows still take it.
func TestBacklogAfterStop(t *testing.T) {
	e := withProvince(t, nil)
	s := newStream()
	fail := func(b *event.Builder) { b.Str(event.EventAction, "fail"); b.Str(event.SourceIP, "1.1.1.1") }
	s.from("10.1.1.5", 1000, 1000, nil)
	s.until(5000)
	s.now = 200_000
	s.until(202_000)
	for i := range int64(4) {
		s.from("10.1.1.5", 20_000+i*1000, 203_000+i, fail)
	}
	s.until(300_000)
	same(t, short(run(t, e, s.recs)), []string{"guess/1 n=4 sev=1 level=0", "guess/2 n=4 sev=1 level=0 final"})
	if e.Stats().Late != 0 {
		t.Errorf("late: %+v", e.Stats())
	}
}

func TestSkew(t *testing.T) {
	for _, c := range []struct {
		name string
		off  func(i int64) int64
		want []string
	}{
		{"an hour ahead", func(int64) int64 { return 3_600_000 }, []string{"skew/1 n=1 sev=1 level=3"}},
		{"two minutes behind", func(int64) int64 { return -120_000 }, []string{"skew/1 n=1 sev=1 level=3"}},
		{"within a minute", func(int64) int64 { return -59_000 }, nil},
		{"a queue that drains", func(i int64) int64 { return -200_000 + i*25_000 }, nil},
		{"one odd line", func(i int64) int64 { return (i % 7 / 6) * 3_600_000 }, nil},
	} {
		e := withProvince(t, nil)
		s := newStream()
		for i := range int64(8) {
			now := 1000 + i*9000
			s.from("10.1.1.5", now+c.off(i), now, nil)
		}
		s.until(80_000)
		got := short(run(t, e, s.recs))
		for i := range got {
			got[i] = strings.Replace(got[i], "sev=2", "sev=1", 1)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLate(t *testing.T) {
	e := newEngine(t, testRules)
	f := func(at, arrive int64) line {
		return line{at: at, arrive: arrive, from: "a", action: "fail", src: "1.1.1.1"}
	}
	s := newStream().play(100_000, f(1000, 1000), f(1100, 1100), f(10_000, 10_000), f(3000, 20_000),
		line{at: 2000, arrive: 21_000, from: "a", action: "clear"})
	same(t, short(run(t, e, s.recs)), []string{"clear/1 n=1 sev=2 level=0"}) // late, but a detection all the same
	if n := e.Stats().Late; n != 1 {
		t.Errorf("%d late, want 1", n)
	}
}

// TestBadClockStallsNothing: neither an origin far behind nor one far ahead keeps others' alerts back.
func TestBadClockStallsNothing(t *testing.T) {
	e := newEngine(t, testRules)
	s := newStream()
	for i := range int64(60) {
		s.play(i*1000+500, line{at: i*1000 + 500 - 3_600_000, arrive: i*1000 + 500, from: "behind", action: "x"},
			line{at: i*1000 + 500 + 3_600_000, arrive: i*1000 + 500, from: "ahead", action: "x"},
			line{at: i*1000 + 500, from: "good", action: "x"})
		if i >= 10 && i < 14 {
			s.event(line{at: i * 1000, from: "good", action: "fail", src: "1.1.1.1"})
		}
	}
	var at int64
	for _, a := range run(t, e, s.recs) {
		if a.Rule.ID == "guess" && a.Update == 1 {
			at = a.At
		}
	}
	if late := time.Duration(at - start); late < 15*time.Second || late > 20*time.Second {
		t.Errorf("raised after %v", late)
	}
}

func TestLimits(t *testing.T) {
	e := withProvince(t, func(c *Config) {
		c.Limits = Limits{Groups: 3, Window: 5, Evidence: 7, Pending: 20, Origins: 2}
	})
	s := newStream()
	for i := range int64(40) {
		s.play(i*100, line{at: i * 100, from: string(rune('a' + i%4)), action: "fail", src: fmt.Sprintf("1.1.1.%d", i%5),
			user: "an", bytes: 10})
	}
	for i := range int64(20) {
		s.play(5000+i*100, line{at: 5000 + i*100, from: "a", action: "fail", src: "2.2.2.2", user: "an", bytes: 100})
	}
	s.until(4_000_000)
	run(t, e, s.recs)
	st := e.Stats()
	if st.GroupsDropped == 0 || st.EntriesDropped == 0 || st.EvidenceThinned == 0 || st.Forced == 0 || st.OriginsOver == 0 {
		t.Errorf("a limit was not reached: %+v", st)
	}
	if st.Groups != 0 || st.Episodes != 0 || st.Pending != 0 || e.held != 0 || len(e.dirty) != 0 {
		t.Errorf("left over: %+v, held %d, dirty %d", st, e.held, len(e.dirty))
	}
}

// TestSumSurvivesFullWindow: a full window forgets when, not how much.
func TestSumSurvivesFullWindow(t *testing.T) {
	e := withProvince(t, func(c *Config) { c.Limits = Limits{Window: 3} })
	s := newStream()
	for i := range int64(12) {
		s.play(i*100, line{at: i * 100, from: "a", action: "fail", src: "1.1.1.1", bytes: 90})
	}
	s.until(100_000)
	for _, a := range run(t, e, s.recs) {
		if a.Rule.ID == "sum" && a.Update == 1 && a.Value == 1080 {
			return
		}
	}
	t.Error("1080 bytes were not summed up")
}

// TestSharedAddress: people behind one address are not one attacker, but one of them may be.
func TestSharedAddress(t *testing.T) {
	e := withProvince(t, nil)
	s := newStream()
	send := func(at int64, user string) {
		s.from("10.1.1.5", at, at, func(b *event.Builder) {
			b.Str(event.EventAction, "fail")
			b.IP(event.SourceIP, netip.MustParseAddr("203.0.113.60"))
			b.Str(event.UserName, user)
		})
	}
	for i := range int64(9) {
		send(1000+i*100, fmt.Sprint("người", i))
	}
	for i := range int64(4) {
		send(5000+i*100, "Đặng")
	}
	s.until(60_000)
	got := run(t, e, s.recs)
	same(t, short(got), []string{"guess/1 n=4 sev=1 level=0"})
	if g := got[0].Group; len(g) != 2 || g[1] != (alert.KV{Field: "user.name", Value: "Đặng"}) {
		t.Errorf("group %v", g)
	}
	if !strings.Contains(got[0].Query, `user.name: "Đặng"`) {
		t.Errorf("query %s", got[0].Query)
	}
}

// TestPolicyThreshold: the province's figure goes before the rule's.
func TestPolicyThreshold(t *testing.T) {
	inv := province(t, "thresholds: [{rule: guess, by_level: {2: {gt: 5}}}]")
	for level, want := range []int{4, 4, 6, 6, 6, 6} {
		e, err := New(Config{Rules: compileTest(t, testRules), Policy: inv.Policy(), Inventory: inv})
		if err != nil {
			t.Fatal(err)
		}
		s := newStream()
		for i := range int64(8) {
			s.play(1000+i*100, line{at: 1000 + i*100, from: "a", action: "fail", src: "1.1.1.1", level: level})
		}
		s.until(40_000)
		n := 0
		for _, a := range run(t, e, s.recs) {
			if a.Rule.ID == "guess" && a.Update == 1 {
				n = int(a.Count)
			}
		}
		if n != want {
			t.Errorf("level %d: raised at %d, want %d", level, n, want)
		}
	}
}

// TestSeverityRises: an alert says at once that it touches a higher level, and otherwise keeps to ten seconds.
func TestSeverityRises(t *testing.T) {
	e := newEngine(t, testRules)
	f := func(at int64, level int) line {
		return line{at: at, from: "a", action: "fail", src: "1.1.1.1", level: level}
	}
	var lines []line
	for i := range int64(30) {
		l := f(1000+i*1000, 1)
		if i >= 12 {
			l.level = 4
		}
		lines = append(lines, l)
	}
	var got []string
	for _, a := range run(t, e, newStream().play(31_000, lines...).recs) {
		if a.Rule.ID == "guess" {
			got = append(got, fmt.Sprintf("%d sev=%d at=%ds", a.Update, a.Severity, (a.At-start)/1e9))
		}
	}
	same(t, got, []string{"1 sev=1 at=8s", "2 sev=3 at=17s", "3 sev=3 at=27s"})
}

// TestEvidence: the first and last 500, in the order of time, and the exact count.
func TestEvidence(t *testing.T) {
	e := newEngine(t, testRules)
	s := newStream()
	for i := range int64(1300) {
		s.play(i*10, line{at: i * 10, from: "a", action: "clear", unit: uint64(i + 1)})
	}
	s.until(30_000)
	all := run(t, e, s.recs)
	a := all[len(all)-1]
	if a.Count != 1300 || len(a.Evidence) != 1000 {
		t.Fatalf("count %d, evidence %d", a.Count, len(a.Evidence))
	}
	for i, x := range a.Evidence {
		want := uint64(i + 1)
		if i >= 500 {
			want = uint64(i + 301)
		}
		if x.Event.Unit() != want {
			t.Fatalf("evidence %d is event %d, want %d", i, x.Event.Unit(), want)
		}
	}
}

func TestRefusals(t *testing.T) {
	head := "title: t\nid: f\nname: f\nlogsource: {category: x}\ndetection: {s: {a: b}, condition: s}\n---\ntitle: c\nid: c\n"
	for _, c := range []struct{ cor, want string }{
		{"type: value_avg\n  condition: {gte: 1, field: x}", "value_avg is not supported yet"},
		{"type: event_count\n  condition: {lt: 3}", "only gt and gte are supported yet"},
		{"type: event_count\n  condition: {gte: 3, lte: 9}", "only gt and gte are supported yet"},
		{"type: event_count\n  condition: {gte: 10001}", "thresholds above 10000 are not supported"},
		{"type: event_count\n  aliases: {u: {other: x}}\n  condition: {gte: 1}", `alias "u" says no field for rule "f"`},
	} {
		_, refused := compileAll("correlation:\n  rules: [f]\n  group-by: [u]\n  timespan: 1m\n  "+c.cor+"\n", head)
		if len(refused) != 1 || !strings.Contains(refused[0], c.want) || !strings.HasPrefix(refused[0], "test.yml:") {
			t.Errorf("%q: refused %q, want %q", c.cor, refused, c.want)
		}
	}
}
