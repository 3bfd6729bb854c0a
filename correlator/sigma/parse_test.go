// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sampleRule = `title: Đăng nhập sai qua SSH
id: 0a4f6a5e-5c0e-4c0e-9f6e-0d2a5b1c7e11
name: ssh_failed
status: stable
description: Một lần nhập sai mật khẩu.
level: low
logsource: {product: linux, service: sshd}
tags: [attack.credential-access]
haidang:
    group_by: [source.ip]
    steps: [Xem địa chỉ nguồn.]
    context: outside_zone
detection:
    selection:
        event.action: ssh_login
        event.outcome: failure
    filter_main:
        - source.ip|cidr: [10.0.0.0/8, "fd00::/8"]
        - user.name: [null, '']
    keywords: [mật khẩu, 'a*b']
    condition: (selection or keywords) and not 1 of filter_*
---
title: Dò mật khẩu
id: 5638f7c0-ac70-491d-8465-2a65075e0d86
level: medium
correlation:
    type: event_count
    rules: [ssh_failed]
    group-by: [source.ip, host.name]
    timespan: 10m
    condition: {gte: 10}
haidang:
    by_level: {4: {gte: 3}, 3: {gte: 5}}
`

func TestParse(t *testing.T) {
	docs, refused := Parse("a.yml", []byte(sampleRule))
	if len(refused) > 0 || len(docs) != 2 || docs[0].Rule == nil || docs[1].Correlation == nil {
		t.Fatalf("documents %v, refused %v", docs, refused)
	}
	r, c := docs[0].Rule, docs[1].Correlation
	if r.Title != "Đăng nhập sai qua SSH" || r.Level != LevelLow || r.LogSource.Service != "sshd" || r.Pos.Line != 1 {
		t.Errorf("rule %+v", r.Meta)
	}
	if got := r.Conditions[0].Root.String(); got != "(selection or keywords) and not 1 of filter_*" {
		t.Errorf("condition %q", got)
	}
	if d, _ := r.Detection("filter_main"); d == nil || len(d.Any) != 2 || d.Pos.Line != 17 ||
		d.Any[0].All[0].Values[1].Atoms[0].Prefix.String() != "fd00::/8" || d.Any[1].All[0].Values[0].Atoms[0].Kind != AtomNull {
		t.Errorf("filter_main %+v", d)
	}
	want := Haidang{GroupBy: []string{"source.ip"}, Steps: []string{"Xem địa chỉ nguồn."}, Context: []string{"outside_zone"}}
	if diff := cmp.Diff(want, r.Haidang); diff != "" {
		t.Errorf("haidang (-want +got):\n%s", diff)
	}
	if c.Type != EventCount || c.Timespan != 10*time.Minute || c.Pos.Line != 23 {
		t.Errorf("correlation %+v", c)
	}
	for level, want := range []float64{10, 10, 10, 5, 3, 3} {
		if got := c.ThresholdAt(level); len(got) != 1 || got[0] != (Bound{GTE, want}) {
			t.Errorf("threshold at level %d: %v, want gte %v", level, got, want)
		}
	}
}

// rule makes a rule around a detection section.
func rule(detection string) string {
	return "title: t\nlogsource:\n  product: x\ndetection:\n  " + strings.ReplaceAll(detection, "\n", "\n  ")
}

func TestParseRefuses(t *testing.T) {
	f := func(text string, line int, reason string) {
		t.Helper()
		docs, refused := Parse("a.yml", []byte(text))
		if len(docs) != 0 || len(refused) != 1 {
			t.Errorf("%q: %d documents, refused %v", text, len(docs), refused)
			return
		}
		if r := refused[0]; r.Line != line || !strings.Contains(r.Reason, reason) || strings.Contains(r.Error(), "\n") {
			t.Errorf("%.200q: refused at line %d: %s; want line %d and %q", text, r.Line, r.Reason, line, reason)
		}
	}
	f("a: [", 1, "yaml")
	f("a: 1\na: 2", 2, "yaml")
	f("[a]", 1, "must be a map")
	f("title: t", 1, "neither detection nor correlation")
	f("title: t\nfilter: {}", 2, "not supported")
	f("title: t\ndetection: {}", 1, "logsource")
	f("logsource: {product: x}\ndetection: {a: b, condition: a}", 1, "title")
	f("title: t\nlevel: bad\nlogsource: {product: x}\ndetection: {a: b, condition: a}", 2, "level")
	f("title: t\nstatus: bad\nlogsource: {product: x}\ndetection: {a: b, condition: a}", 2, "status")
	f("title: t\nlogsource: {product: x}\nhaidang: {stepz: a}\ndetection: {a: b, condition: a}", 3, "unknown key \"stepz\"")
	f("title: t\nlogsource: {product: x}\nhaidang: {steps: [a, b, c, d, e, f]}\ndetection: {a: b, condition: a}", 3, "at most 5")
	f("title: t\nlogsource: {product: x}\nhaidang: {by_level: {3: {gte: 1}}}\ndetection: {a: b, condition: a}", 3, "correlations only")
	f(rule("a: b"), 5, "condition is missing")
	f(rule("a: b\ncondition: c"), 6, "no detection is named \"c\"")
	f(rule("a: b\ncondition: 1 of c*"), 6, "no detection is named")
	f(rule("a: b\ncondition: a | count() > 5"), 6, "obsolete")
	f(rule("a: b\ncondition: 2 of a*"), 6, "only 1, any and all")
	f(rule("a: b\ncondition: a*"), 6, "needs \"1 of\"")
	f(rule("a: b\ncondition: (a"), 6, "( without )")
	f(rule("a: b\ncondition: a b"), 6, "operator")
	f(rule("a: b\ntimeframe: 5m\ncondition: a"), 6, "obsolete")
	f(rule("a:\n  f|frobnicate: b\ncondition: a"), 6, "\"frobnicate\"")
	f(rule("a:\n  f|expand: '%x%'\ncondition: a"), 6, "expand: the placeholder %x% has no values")
	f(rule("a:\n  f|contains|contains: b\ncondition: a"), 6, "twice")
	f(rule("a:\n  f|all: b\ncondition: a"), 6, "two values")
	f(rule("a:\n  f|re: '(?=x)'\ncondition: a"), 6, "re: invalid")
	f(rule("a:\n  f|i: x\ncondition: a"), 6, "after it")
	f(rule("a:\n  f|contains|re: x\ncondition: a"), 6, "re:")
	f(rule("a:\n  f|re|contains: x\ncondition: a"), 6, "contains")
	f(rule("a:\n  f|cidr: 10.0.0.1/8\ncondition: a"), 6, "did you mean 10.0.0.0/8")
	f(rule("a:\n  f|cidr: x\ncondition: a"), 6, "not a network")
	f(rule("a:\n  f|gt: x\ncondition: a"), 6, "needs a number")
	f(rule("a:\n  f|exists: 'yes'\ncondition: a"), 6, "true or false")
	f(rule("a:\n  f|base64: 'a*'\ncondition: a"), 6, "wildcards")
	f(rule("a:\n  f|contains: null\ncondition: a"), 6, "null")
	f(rule("a:\n  f: {b: c}\ncondition: a"), 6, "not a map")
	f(rule("a:\n  f: []\ncondition: a"), 6, "empty")
	f(rule("a: {}\ncondition: a"), 5, "empty")
	f(rule("a:\n  - [b]\ncondition: a"), 6, "list in a list")
	f(rule("a: ['']\ncondition: a"), 5, "everything")
	f(rule("a: &x b\ncondition: a"), 5, "not supported")
	f(rule("a:\n  f|windash:\n"+strings.Repeat("    - -a -b -c -d\n", 200)+"condition: a"), 167, "come to more than 100000")
	f(rule("a:\n  f|windash: '-a -b -c -d -e'\ncondition: a"), 6, "more than 1024")
}

func TestParseRefusesCorrelation(t *testing.T) {
	f := func(section, reason string) {
		t.Helper()
		docs, refused := Parse("a.yml", []byte("title: t\ncorrelation:\n  "+strings.ReplaceAll(section, "\n", "\n  ")))
		if len(docs) != 0 || len(refused) != 1 || refused[0].Line == 0 || !strings.Contains(refused[0].Reason, reason) {
			t.Errorf("%q: %d documents, refused %v; want %q", section, len(docs), refused, reason)
		}
	}
	f("type: x\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}", "type \"x\"")
	f("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}\nx: 1", "unknown key")
	f("type: event_count\nrules: [a]\ntimespan: 0m\ncondition: {gte: 1}", "timespan")
	f("type: event_count\nrules: [a]\ntimespan: m\ncondition: {gte: 1}", "timespan")
	f("type: event_count\nrules: [a]\ntimespan: +1m\ncondition: {gte: 1}", "timespan")
	f("type: event_count\nrules: [a]\ncondition: {gte: 1}", "timespan is missing")
	f("type: event_count\nrules: [a]\ntimespan: 1m", "condition is missing")
	f("type: event_count\ntimespan: 1m\ncondition: {gte: 1}", "rules is missing")
	f("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {ge: 1}", "operator \"ge\"")
	f("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: x}", "needs a number")
	f("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {field: x}", "no operator")
	f("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1, field: x}", "field is not for")
	f("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: a and b", "temporal types only")
	f("type: value_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}", "needs field")
	f("type: value_sum\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1, field: [a, b]}", "one field")
	f("type: value_percentile\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1, field: a}", "percentile")
	f("type: temporal\nrules: [a, a]\ntimespan: 1m", "listed twice")
	f("type: temporal\nrules: [a, b]\ntimespan: 1m\ncondition: a and c", "same rules")
	f("type: temporal\nrules: [a, b]\ntimespan: 1m\naliases: {x: y}", "aliases")
	f("type: temporal\nrules: [a, b]\ntimespan: 1m\ngenerate: maybe", "generate")
}

func TestParseCorrelation(t *testing.T) {
	text := "title: t\ncorrelation:\n  type: temporal_ordered\n  rules: [a, 5638f7c0-ac70-491d-8465-2a65075e0d86]\n" +
		"  group-by: [ip]\n  timespan: 90s\n  aliases:\n    ip:\n      a: source.ip\n      b: client.ip\n"
	docs, refused := Parse("a.yml", []byte(text))
	if len(refused) > 0 || len(docs) != 1 {
		t.Fatalf("%v", refused)
	}
	c := docs[0].Correlation
	if diff := cmp.Diff(Threshold{{GTE, 2}}, c.Threshold); diff != "" || c.Timespan != 90*time.Second {
		t.Errorf("threshold %v, timespan %v", c.Threshold, c.Timespan)
	}
	if f, ok := c.AliasField("ip", &Meta{Name: "b"}); !ok || f != "client.ip" {
		t.Errorf("alias of b: %q %v", f, ok)
	}
	if f, ok := c.AliasField("ip", &Meta{Name: "c"}); ok {
		t.Errorf("alias of c: %q", f)
	}
	if f, ok := c.AliasField("host.name", &Meta{Name: "c"}); !ok || f != "host.name" {
		t.Errorf("no alias: %q %v", f, ok)
	}
}

func TestCollection(t *testing.T) {
	correlation := "title: %s\nname: %s\ncorrelation: {type: temporal, rules: [%s], timespan: 1m}"
	files := fstest.MapFS{
		"r/a.yml":      {Data: []byte(sampleRule)},
		"r/a_test.yml": {Data: []byte("not: a rule")},
		"r/b.yml":      {Data: []byte(strings.Split(sampleRule, "---")[0])},
		"r/c.yml":      {Data: fmt.Appendf(nil, correlation, "outer", "outer", "inner")},
		"r/d.yml":      {Data: fmt.Appendf(nil, correlation, "inner", "inner", "ssh_failed, 5638F7C0-ac70-491d-8465-2a65075e0d86")},
		"r/e.yml":      {Data: fmt.Appendf(nil, correlation, "lost", "lost", "nobody")},
		"r/f.yml":      {Data: fmt.Appendf(nil, correlation, "on lost", "onlost", "lost")},
		"r/g.yml":      {Data: fmt.Appendf(nil, correlation, "ring a", "ring_a", "ring_b")},
		"r/h.yml":      {Data: fmt.Appendf(nil, correlation, "ring b", "ring_b", "ring_a")},
		"r/i.txt":      {Data: []byte("no rule")},
	}
	c, err := LoadFS(files, "r")
	if err != nil {
		t.Fatal(err)
	}
	var order, refused []string
	for _, x := range c.Correlations {
		order = append(order, x.Title)
	}
	for _, r := range c.Refusals {
		refused = append(refused, r.File+": "+r.Rule)
	}
	if diff := cmp.Diff([]string{"Dò mật khẩu", "inner", "outer"}, order); diff != "" || len(c.Rules) != 1 {
		t.Errorf("%d rules, correlations (-want +got):\n%s", len(c.Rules), diff)
	}
	want := []string{"r/b.yml: 0a4f6a5e-5c0e-4c0e-9f6e-0d2a5b1c7e11", "r/e.yml: lost", "r/f.yml: on lost", "r/h.yml: ring b", "r/g.yml: ring a"}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if d, ok := c.Find("inner"); !ok || d.Correlation == nil {
		t.Error("inner is not found by name")
	}
	if _, ok := c.Find("lost"); ok {
		t.Error("a refused correlation is found")
	}
}

// TestLoadTwice: a file given both by itself and by its directory is one.
func TestLoadTwice(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yml")
	if err := os.WriteFile(file, []byte(sampleRule), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(dir, file, dir+"/./a.yml")
	if err != nil || len(c.Rules) != 1 || len(c.Correlations) != 1 || len(c.Refusals) != 0 {
		t.Errorf("%d rules, %d correlations, refused %v, error %v", len(c.Rules), len(c.Correlations), c.Refusals, err)
	}
	if _, err := Load(filepath.Join(dir, "absent")); err == nil {
		t.Error("an absent path is no error")
	}
}
