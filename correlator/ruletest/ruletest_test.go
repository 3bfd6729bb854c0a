// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"strings"
	"testing"
	"testing/fstest"
)

const rule = `title: Thử
id: x
name: x
logsource: {product: linux}
detection: {selection: {event.action: ssh_login, user.name: nguyễn}, condition: selection}
haidang: {group_by: [source.ip]}
`

func files(test string) fstest.MapFS {
	return fstest.MapFS{"d/x.yml": {Data: []byte(rule)}, "d/x_test.yml": {Data: []byte(test)}}
}

const story = `tests:
  - name: một
    kind: firing
    input:
      - at: 1s
        from: dc1 10.1.1.1
        repeat: 2
        every: 1s
        line: "<86>{bsd} máy sshd[1]: Failed password for nguye` + "\u0302\u0303" + `n from 192.0.2.{n+6} port 1 ssh2"
`

func TestRun(t *testing.T) {
	for _, c := range []struct{ name, alerts, want string }{
		{"exact", "[{rule: x, at: 1s, group: {source.ip: 192.0.2.7}, count: 1, severity: low, level: 0}, {rule: x}]", ""},
		{"one too many", "[{rule: x}]", "d/x_test.yml:2: một: unexpected alert {rule: x, at: 2s, group: {source.ip: " +
			"192.0.2.8}, count: 1, severity: low, level: 0}"},
		{"one too few", "[{rule: x}, {rule: x}, {rule: x}]", "line 10: no alert of rule x"},
		{"another rule", "[{rule: x}, {rule: y}]", "line 10: no alert of rule y"},
		{"another time", "[{rule: x, at: 3s}, {rule: x}]", "at is 1s, want 3s"},
		{"another group", "[{rule: x, group: {source.ip: 192.0.2.9}}, {rule: x}]", "group is map[source.ip:192.0.2.7], " +
			"want map[source.ip:192.0.2.9]"},
		{"another count", "[{rule: x, count: 2}, {rule: x}]", "count is 1, want 2"},
		{"another severity", "[{rule: x, severity: high}, {rule: x}]", "severity is low, want high"},
		{"another level", "[{rule: x, level: 3}, {rule: x}]", "level is 0, want 3"},
	} {
		fsys := files(story + "    alerts: " + c.alerts + "\n")
		rep, err := Run(t.Context(), []string{"d"}, Options{FS: fsys})
		if err != nil || rep.Files != 1 || rep.Tests != 1 {
			t.Fatalf("%s: %+v, %v", c.name, rep, err)
		}
		var got []string
		for _, f := range rep.Failures {
			got = append(got, f.Error())
		}
		all := strings.Join(got, "\n")
		if (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
			t.Errorf("%s: failures %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	one := func(input, rest string) string {
		return "tests:\n- name: a\n  kind: silent\n  input:\n  - " + input + "\n" + rest
	}
	for _, c := range []struct{ file, want string }{
		{"", "d/x_test.yml:1: a test file is one YAML document"},
		{"a: [", "d/x_test.yml:1:"},
		{"tests: []", "d/x_test.yml:1: no tests"},
		{"\ntest: []", "d/x_test.yml:2: unknown field \"test\""},
		{"tests:\n- kind: silent", "d/x_test.yml:2: a test needs a name"},
		{"tests:\n- name: a\n  kind: loud", "d/x_test.yml:2: kind \"loud\": use firing, silent"},
		{"tests:\n- name: a\n  kind: silent", "no input"},
		{one("line: x", ""), "say which alerts there must be"},
		{one("line: x", "  alerts: [{rule: x}]"), "kind silent, but with alerts"},
		{one("line: x\n    wait: 1s", "  alerts: []"), "d/x_test.yml:6: unknown field \"wait\""},
		{one("at: soon\n    line: x", "  alerts: []"), "d/x_test.yml:5: at: \"soon\" is not a length of time"},
		{one("at: -1s\n    line: x", "  alerts: []"), "d/x_test.yml:5: at: before the start"},
		{one("repeat: 0\n    line: x", "  alerts: []"), "d/x_test.yml:5: repeat: from 1 to 100000"},
		{one("repeat: 99999\n    every: 1h\n    line: x", "  alerts: []"), "repeat and every: more than"},
		{one("from: here\n    line: x", "  alerts: []"), "d/x_test.yml:5: from: an address"},
		{one("from: a b\n    at: 1s", "  alerts: []"), "d/x_test.yml:5: from:"},
		{one("at: 1s", "  alerts: []"), "give either line or event"},
		{one("event: {a: b}\n    line: x", "  alerts: []"), "give either line or event"},
		{one("event: x", "  alerts: []"), "event: must be a map"},
		{strings.Replace(one("line: x", "  alerts: [{at: 1s}]"), "silent", "late", 1), "d/x_test.yml:6: an alert needs its rule"},
		{strings.Replace(one("line: x", "  alerts: [{rule: x, severity: cao}]"), "silent", "late", 1), "severity \"cao\": use info"},
		{one("line: x", "  advance: 900d\n  alerts: []"), "advance: \"900d\" is not"},
		{"rules: [y.yml]\n" + one("line: x", "  alerts: []"), "d/x_test.yml:1: rules: "},
		{"inventory: z.yml\n" + one("line: x", "  alerts: []"), "d/x_test.yml:1: inventory: "},
	} {
		rep, err := Run(t.Context(), []string{"d"}, Options{FS: files(c.file)})
		if err == nil || !strings.Contains(err.Error(), c.want) || len(rep.Failures) > 0 {
			t.Errorf("%q: error %v, want %q", c.file, err, c.want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(story + "    alerts: [{rule: x, at: 1s, group: {a: b}, count: 1}]\n")
	f.Add("rules: [a.yml]\ninventory: b.yml\ntests:\n- {name: a, kind: late, input: [{event: {a: {b: 1}}}], alerts: []}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		file, err := Load(files(text), "d/x_test.yml")
		if err == nil && len(file.Tests) == 0 {
			t.Error("a file without tests was accepted")
		}
	})
}
