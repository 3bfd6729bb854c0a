// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
)

// optionRules ask for what the haidang block of a correlation may change.
const optionRules = `
title: a
name: a
id: a
logsource: {product: x}
detection: {s: {event.action|startswith: fail}, condition: s}
---
title: b
name: b
id: b
logsource: {product: x}
detection: {s: {event.action|endswith: ok}, condition: s}
---
title: events
id: events
correlation: {type: event_count, rules: [a, b], group-by: [user.name], timespan: 1m, condition: {gte: 2}}
---
title: matches
id: matches
correlation: {type: event_count, rules: [a, b], group-by: [user.name], timespan: 1m, condition: {gte: 2}}
haidang: {count: matches}
---
title: nobody
id: nobody
correlation: {type: event_count, rules: [a], group-by: [user.name], timespan: 1m, condition: {gte: 1}}
haidang: {null_group: true}
---
title: two events
id: ordered
correlation: {type: temporal_ordered, rules: [a, b], group-by: [host.name], timespan: 1m}
---
title: one event
id: same
correlation: {type: temporal_ordered, rules: [a, b], group-by: [host.name], timespan: 1m}
haidang: {allow_same_event: true}
---
title: tuples
id: tuples
correlation: {type: value_count, rules: [a], group-by: [host.name], timespan: 1m, condition: {gte: 2, field: [source.ip, event.action]}}
`

func raisedRules(t *testing.T, e *Engine, s *stream) string {
	t.Helper()
	var ids []string
	for _, a := range run(t, e, s.recs) {
		if a.Update == 1 {
			ids = append(ids, a.Rule.ID)
		}
	}
	return sortedLines(ids)
}

func TestOptions(t *testing.T) {
	one := func(action, user, src string) line {
		return line{at: 1000, from: "a", action: action, user: user, src: src}
	}
	for _, c := range []struct {
		name  string
		lines []line
		want  string
	}{
		{"an event that two rules match", []line{one("fail ok", "an", "1.1.1.1")}, "matches\nnobody\nsame"},
		{"an event without a user", []line{one("fail", "", "1.1.1.1")}, "nobody"},
		{"two events", []line{one("fail", "an", "1.1.1.1"), one("ok", "an", "1.1.1.1")},
			"events\nmatches\nnobody\nordered\nsame"},
		{"tuples", []line{one("fail", "an", "1.1.1.1"), one("fail1", "bình", "1.1.1.1")}, "nobody\nnobody\ntuples"},
		{"equal tuples", []line{one("fail", "an", "1.1.1.1"), one("fail", "bình", "1.1.1.1")}, "nobody\nnobody"},
	} {
		e := newEngine(t, optionRules)
		if got := raisedRules(t, e, newStream().play(50_000, c.lines...)); got != c.want {
			t.Errorf("%s: raised %q, want %q", c.name, got, c.want)
		}
	}
}

// TestOrigins: who speaks, and how late that may be.
func TestOrigins(t *testing.T) {
	e, err := New(Config{Rules: compileTest(t, testRules), Policy: asset.DefaultPolicy(),
		Relays: func(ip string) bool { return ip == "10.9.9.9" }})
	if err != nil {
		t.Fatal(err)
	}
	clear := func(b *event.Builder) { b.Str(event.EventAction, "clear") }
	s := newStream()
	s.from("10.1.1.5", 1000, 1000, clear)
	s.from("10.9.9.9", 1000, 1000, clear) // behind a relay
	s.from("10.1.1.6", 1000, 1000, func(b *event.Builder) { clear(b); b.Str(event.AgentID, "agent-7") })
	s.from("10.1.1.7", 1000, 1000, func(b *event.Builder) { clear(b); b.Str(event.HaidangOrigin, "tường lửa") })
	var got []string
	for _, a := range run(t, e, s.recs) {
		got = append(got, a.Origins...)
	}
	same(t, got, []string{"10.1.1.5", "10.9.9.9 máy", "agent-7", "tường lửa"}[:len(got)])
	for name, want := range map[string]time.Duration{"10.1.1.5": 2 * time.Second, "10.9.9.9 máy": time.Minute,
		"agent-7": time.Minute, "tường lửa": 2 * time.Second} {
		if o := e.origins.byName[name]; o == nil || o.lateness != int64(want) {
			t.Errorf("origin %q: %+v", name, o)
		}
	}
}

// TestDefaultGroup: a detection that does not say keeps origins, sources and users apart, and its query finds them.
func TestDefaultGroup(t *testing.T) {
	e := newEngine(t, "title: t\nid: t\nlogsource: {product: x}\ndetection: {s: {event.action: x}, condition: s}\n")
	s := newStream()
	s.from("10.1.1.5", 1000, 1000, func(b *event.Builder) { b.Str(event.EventAction, "x"); b.Str(event.UserName, `a"n`) })
	got := run(t, e, s.recs)
	if len(got) != 1 {
		t.Fatalf("%d alerts", len(got))
	}
	if g := got[0].Group; len(g) != 3 || g[0] != (alert.KV{Field: "haidang.origin", Value: "10.1.1.5"}) || g[1].Value != "" {
		t.Errorf("group %v", g)
	}
	for _, part := range []string{`(haidang.origin: "10.1.1.5" or observer.ip: "10.1.1.5")`, `not source.ip: *`,
		`user.name: "a\"n"`, `event.action: "x"`, `@timestamp >= "2026-09-01T19:10:01Z"`} {
		if !strings.Contains(got[0].Query, part) {
			t.Errorf("query %s lacks %s", got[0].Query, part)
		}
	}
}

// TestRuleQuery: what KQL cannot say is left out where that lists more, and then never negated.
func TestRuleQuery(t *testing.T) {
	for _, c := range []struct{ detection, want string }{
		{"s: {user.name: Đặng}\n  condition: s", `user.name: "Đặng"`},
		{"s: {user.name: [a, b*], source.ip: 10.0.0.1}\n  condition: s",
			`((user.name: "a" or user.name: b*) and source.ip: "10.0.0.1")`},
		{"s: {user.name|re: a.b, host.name: h}\n  condition: s", `host.name: "h"`},
		{"s: {user.name: a}\n  n: {user.name|re: a.b, host.name: h}\n  condition: s and not n", `user.name: "a"`},
		{"s: {user.name: a}\n  n: {host.name: h}\n  condition: s and not n", `(user.name: "a" and not host.name: "h")`},
		{"s: {user.name: a}\n  n: {host.name: h?}\n  condition: s and not n", `user.name: "a"`},
		{"s: {user.name: a}\n  n: {host.name|re: h}\n  condition: s or n", ``},
		{"s: {source.ip: '-', user.name: a}\n  condition: s", `user.name: "a"`},
		{"s: {source.ip|cidr: 10.0.0.0/8, source.port|gt: 1024, user.name: null}\n  condition: s",
			`(source.ip: "10.0.0.0/8" and source.port > 1024 and not user.name: *)`},
		{"s: {process.name|contains|all: [a, 'b (c)']}\n  condition: s", `(process.name: *a* and process.name: *b\ \(c\)*)`},
		{"s: [{user.name: a}, {host.name: h}]\n  condition: s", `(user.name: "a" or host.name: "h")`},
	} {
		set := compileTest(t, "title: t\nid: t\nlogsource: {product: x}\ndetection:\n  "+c.detection+"\n")
		if got := set.detections[0].query; got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.detection, got, c.want)
		}
	}
}
