// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"fmt"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// testRules are small rules whose detections look at event.action only.
const testRules = `
title: Đăng nhập thất bại
id: fail
name: fail
level: low
logsource: {product: test}
detection: {sel: {event.action: fail}, condition: sel}
haidang: {steps: [Xem nhật ký]}
---
title: Đăng nhập thành công
id: ok
name: ok
level: low
logsource: {product: test}
detection: {sel: {event.action: ok}, condition: sel}
---
title: Xóa nhật ký
id: clear
level: high
logsource: {product: test}
detection: {sel: {event.action: clear}, condition: sel}
haidang: {group_by: [host.name]}
---
title: Dò mật khẩu
id: guess
name: guess
level: medium
correlation:
  type: event_count
  rules: [fail]
  group-by: [source.ip]
  timespan: 60s
  condition: {gte: 4}
haidang: {by_level: {4: {gte: 3}}}
---
title: Đã thử nhiều lần
name: tries
id: tries
correlation:
  type: event_count
  rules: [fail]
  group-by: [source.ip]
  timespan: 60s
  condition: {gte: 3}
---
title: Vào được sau khi dò
id: entered
level: high
correlation:
  type: temporal_ordered
  rules: [tries, ok]
  group-by: [source.ip]
  timespan: 10m
haidang: {context: [success-after-failures]}
---
title: Rải mật khẩu
id: spray
level: medium
correlation:
  type: value_count
  rules: [fail]
  group-by: [source.ip]
  timespan: 60s
  condition: {gte: 3, field: user.name}
---
title: Gửi ra nhiều
id: sum
level: medium
correlation:
  type: value_sum
  rules: [fail]
  group-by: [source.ip]
  timespan: 60s
  condition: {gt: 1000, field: source.bytes}
---
title: Cả hai
id: both
level: low
correlation:
  type: temporal
  rules: [fail, ok]
  group-by: [source.ip, user.name]
  timespan: 30s
`

func compileTest(t testing.TB, src string) *RuleSet {
	t.Helper()
	c := &sigma.Collection{}
	c.Add("test.yml", []byte(src))
	c.Resolve()
	set, refused := Compile(c)
	for _, r := range append(c.Refusals, refused...) {
		t.Fatal(r)
	}
	return set
}

// stream writes records as a spool would.
type stream struct {
	now  int64 // ms since start
	seq  uint64
	unit map[string]uint64
	recs []*spool.Record
}

var start = time.Date(2026, 9, 2, 2, 10, 0, 0, time.FixedZone("ICT", 7*3600)).UnixNano()

func newStream() *stream { return &stream{unit: map[string]uint64{}} }

func (s *stream) add(kind spool.Kind, batches ...*event.Batch) *spool.Record {
	s.seq++
	r := &spool.Record{At: spool.Position{Seq: s.seq}, Incarnation: "T", Clock: start + s.now*1e6, Kind: kind,
		Batches: batches}
	s.recs = append(s.recs, r)
	return r
}

// line is one event of a test stream.
type line struct {
	at     int64 // event time, ms
	arrive int64 // ms; 0 = at
	from   string
	action string
	src    string
	user   string
	level  int
	bytes  int
	unit   uint64
	flow   bool
}

func (s *stream) event(l line) {
	b := event.NewBuilder("listener/"+l.from, 1)
	if l.unit == 0 {
		s.unit[l.from]++
		l.unit = s.unit[l.from]
	}
	b.Begin(l.unit, 0)
	b.Time(event.Timestamp, start+l.at*1e6)
	b.Time(event.EventCreated, start+s.now*1e6)
	b.Str(event.HaidangOrigin, l.from)
	b.Str(event.HostName, "máy-"+l.from)
	b.Str(event.EventAction, l.action)
	b.Str(event.SourceIP, l.src)
	b.Str(event.UserName, l.user)
	b.Str(event.EventOriginal, fmt.Sprintf("%s %s từ %s", l.user, l.action, l.src))
	if l.level > 0 {
		b.Int(event.HaidangLevel, int64(l.level))
		b.Str(event.HaidangSystemID, "dvc")
	}
	if l.flow {
		b.Str(event.EventDataset, "netflow.flow")
		b.Del(event.EventAction)
	}
	if l.bytes > 0 {
		b.Int(event.SourceBytes, int64(l.bytes))
	}
	b.End()
	s.add(spool.KindBatches, b.Batch(l.unit, l.unit+1))
}

// until ticks each second up to ms.
func (s *stream) until(ms int64) {
	for next := (s.now/1000 + 1) * 1000; next <= ms; next += 1000 {
		s.now = next
		s.add(spool.KindTick)
	}
	s.now = max(s.now, ms)
}

// play appends lines in the order of their arrival, with ticks between, and ticks until end.
func (s *stream) play(end int64, lines ...line) *stream {
	for _, l := range lines {
		if l.arrive == 0 {
			l.arrive = l.at
		}
		s.until(l.arrive)
		s.event(l)
	}
	s.until(end)
	return s
}

func newEngine(t testing.TB, rules string) *Engine {
	t.Helper()
	e, err := New(Config{Rules: compileTest(t, rules), Policy: asset.DefaultPolicy()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func run(t testing.TB, e *Engine, recs []*spool.Record) []*alert.Alert {
	t.Helper()
	var all []*alert.Alert
	for _, r := range recs {
		out, err := e.Process(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.Alerts...)
	}
	return all
}

func short(list []*alert.Alert) []string {
	var out []string
	for _, a := range list {
		s := fmt.Sprintf("%s/%d n=%d sev=%d level=%d", a.Rule.ID, a.Update, a.Count, a.Severity, a.Level)
		if a.Final {
			s += " final"
		}
		out = append(out, s)
	}
	return out
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}

func TestDetection(t *testing.T) {
	e := newEngine(t, testRules)
	s := newStream().play(4_000_000,
		line{at: 1000, from: "a", action: "clear", level: 1},
		line{at: 2000, from: "a", action: "clear", level: 1},
		line{at: 3000, from: "a", action: "clear", level: 3},
		line{at: 15_000, from: "a", action: "clear", level: 3},
		line{at: 15_100, from: "b", action: "clear", level: 3},
	)
	got := run(t, e, s.recs)
	same(t, short(got), []string{
		"clear/1 n=1 sev=2 level=1",
		"clear/2 n=3 sev=3 level=3",
		"clear/1 n=1 sev=3 level=3",
		"clear/3 n=4 sev=3 level=3",
		"clear/4 n=4 sev=3 level=3 final",
		"clear/2 n=1 sev=3 level=3 final",
	})
	if a := got[0]; a.ID != got[1].ID || a.ID == got[2].ID || a.Group[0].Value != "máy-a" || len(a.Evidence) != 1 {
		t.Errorf("alert %+v", a)
	}
	if s := e.Stats(); s.Groups != 0 || s.Episodes != 0 {
		t.Errorf("left over: %+v", s)
	}
}

func TestEventCount(t *testing.T) {
	e := newEngine(t, testRules)
	fail := func(at int64, src string, level int) line {
		return line{at: at, from: "a", action: "fail", src: src, level: level}
	}
	s := newStream().play(300_000,
		fail(1000, "1.1.1.1", 1), fail(2000, "2.2.2.2", 4), fail(2500, "2.2.2.2", 4), fail(3000, "1.1.1.1", 1),
		fail(3100, "2.2.2.2", 4), // third at level 4: fires
		fail(60_999, "1.1.1.1", 1),
		fail(61_000, "1.1.1.1", 1), // the first is just outside (t - 60 s, t]
		fail(62_000, "1.1.1.1", 1), // 3 s, 60.999 s, 61 s, 62 s: fires
		fail(130_000, "3.3.3.3", 1),
	)
	same(t, short(run(t, e, s.recs)), []string{
		"guess/1 n=3 sev=3 level=4",
		"guess/1 n=4 sev=1 level=1",
		"guess/2 n=3 sev=3 level=4 final",
		"guess/2 n=4 sev=1 level=1 final",
	})
}

func TestSequenceAndChain(t *testing.T) {
	e := newEngine(t, testRules)
	var lines []line
	for i := range int64(5) {
		lines = append(lines, line{at: 1000 + i*1000, from: "a", action: "fail", src: "1.1.1.1", user: "nguyễn", level: 3})
	}
	lines = append(lines, line{at: 9000, from: "b", action: "ok", src: "9.9.9.9", level: 3},
		line{at: 10_000, from: "b", action: "ok", src: "1.1.1.1", level: 3})
	got := run(t, e, newStream().play(40_000, lines...).recs)
	want := []string{"guess/1 n=4 sev=3 level=3", "entered/1 n=6 sev=4 level=3"}
	if len(got) < 2 {
		t.Fatalf("got %q", short(got))
	}
	same(t, short(got[:2]), want)
	// the other way round nothing happens
	e = newEngine(t, testRules)
	lines = append([]line{{at: 500, from: "b", action: "ok", src: "1.1.1.1", level: 3}}, lines[:5]...)
	for _, a := range run(t, e, newStream().play(900_000, lines...).recs) {
		if a.Rule.ID == "entered" {
			t.Errorf("success before guessing: %q", short([]*alert.Alert{a}))
		}
	}
}

func TestDistinctSumTemporal(t *testing.T) {
	e := newEngine(t, testRules)
	f := func(at int64, action, user string, n int) line {
		return line{at: at, from: "a", action: action, src: "1.1.1.1", user: user, bytes: n}
	}
	s := newStream().play(400_000,
		f(1000, "fail", "an", 400), f(2000, "fail", "bình", 400), f(3000, "fail", "an", 200),
		f(4000, "fail", "chi", 1), // third user, fourth failure, 1001 bytes
		f(20_000, "ok", "chi", 0),
		f(200_000, "fail", "", 0), // no user: neither spray nor both
	)
	same(t, short(run(t, e, s.recs)), []string{
		"guess/1 n=4 sev=1 level=0", "spray/1 n=4 sev=1 level=0", "sum/1 n=4 sev=1 level=0",
		"entered/1 n=5 sev=3 level=0", "both/1 n=2 sev=1 level=0",
		"both/2 n=2 sev=1 level=0 final", "guess/2 n=4 sev=1 level=0 final",
		"spray/2 n=4 sev=1 level=0 final", "sum/2 n=4 sev=1 level=0 final", "entered/2 n=6 sev=3 level=0",
	})
}

// compileAll compiles and returns every refusal as text.
func compileAll(cor, head string) (*RuleSet, []string) {
	c := &sigma.Collection{}
	c.Add("test.yml", []byte(head+cor))
	c.Resolve()
	set, refused := Compile(c)
	var out []string
	for _, r := range append(c.Refusals, refused...) {
		out = append(out, r.Error())
	}
	return set, out
}
