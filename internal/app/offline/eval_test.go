// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

const evalRules = `title: base
name: base
id: 6b9c4d6e-3c57-4d53-9c6e-0d6a3d0f5a01
logsource: {category: any}
detection: {s: {user.name|contains: 'quản'}, condition: s}
---
title: three
correlation: {type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gte: 3}}
`

func TestEval(t *testing.T) {
	f := func(input string, want ...string) {
		t.Helper()
		rules := &sigma.Collection{}
		rules.Add("a.yml", []byte(evalRules))
		rules.Resolve()
		var out bytes.Buffer
		var problems []string
		refused, err := Eval(t.Context(), rules, []Input{{"in", strings.NewReader(input)}}, &out,
			func(err error) { problems = append(problems, err.Error()) })
		if err != nil || len(refused) > 0 {
			t.Fatalf("error %v, refused %v", err, refused)
		}
		got := strings.Split(strings.TrimSpace(out.String()), "\n")
		for i, p := range problems {
			problems[i], _, _ = strings.Cut(p, ": ")
		}
		got = append(got, problems...)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s\ngot\n%s\nwant\n%s", input, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	hit := func(n string) string { return `{"rule":"6b9c4d6e-3c57-4d53-9c6e-0d6a3d0f5a01","event":` + n + `}` }
	three := func(n string) string { return `{"rule":"three","event":` + n + `}` }
	line := func(at string) string {
		return `{"@timestamp":"2026-11-29T` + at + `Z","user":{"name":"QUẢN TRỊ"},"source":{"ip":"10.1.1.1"}}` + "\n"
	}
	// Events of one second count together; a broken line keeps its number.
	f(line("02:10:00")+"broken\n"+line("02:10:00")+line("02:10:00"), hit("1"), hit("3"), hit("4"), three("4"), "in:2")
	// Two are in one window, the third is not.
	f(line("02:10:00")+line("02:10:30")+line("02:11:30"), hit("1"), hit("2"), hit("3"))
	// Event time decides, not the order of the input: the first line is the last event.
	f(line("02:10:50")+line("02:10:00")+line("02:10:40"), hit("1"), three("1"), hit("2"), hit("3"))
	// Nor are events of long ago taken together because they come late.
	f(line("05:00:00")+line("02:10:00")+line("03:10:00")+line("04:10:00"), hit("1"), hit("2"), hit("3"), hit("4"))
}
