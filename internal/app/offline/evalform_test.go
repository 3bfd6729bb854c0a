// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

// evaluate returns what is printed, as "rule@event", and the refusals.
func evaluate(t *testing.T, rules map[string]string, inputs ...string) (string, []sigma.Refusal) {
	t.Helper()
	c := &sigma.Collection{}
	for name, text := range rules {
		c.Add(name, []byte(text))
	}
	c.Resolve()
	var in []Input
	for i, text := range inputs {
		in = append(in, Input{fmt.Sprintf("in%d", i), strings.NewReader(text)})
	}
	var out bytes.Buffer
	refused, err := Eval(t.Context(), c, in, &out, func(err error) { t.Errorf("problem: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(`{"rule":"`, "", `","event":`, "@", "}\n", " ").Replace(out.String())
	return strings.TrimSpace(text), refused
}

const (
	ruleB = "title: B\nid: 00000000-0000-4000-8000-00000000000b\nname: b\nlogsource: {product: linux}\n" +
		"detection: {s: {user.name: lan}, condition: s}\n"
	ruleA = "title: A\nid: 00000000-0000-4000-8000-00000000000a\nname: a\nlogsource: {product: linux}\n" +
		"detection: {s: {event.action: login}, condition: s}\n"
	untitled = "title: Không có mã\nlogsource: {category: process_creation, product: windows}\n" +
		"detection: {s: {CommandLine|contains: whoami}, condition: s}\n"
	refusedRule = "title: hỏng\nlogsource: {product: linux}\ndetection: {s: {x|nothing: 1}, condition: s}\n"
)

// TestEvalForm: ordered by event, then rule; numbered from 1 over all files; a rule is named by its id, else its title;
// one that is refused stops none of the others.
func TestEvalForm(t *testing.T) {
	both := `{"user":{"name":"lan"},"event":{"action":"login"}}` + "\n"
	got, refused := evaluate(t, map[string]string{"b.yml": ruleB, "a.yml": ruleA, "c.yml": untitled, "d.yml": refusedRule},
		both+"\n{}\n", both+`{"CommandLine":"cmd /c WHOAMI"}`+"\n"+`{"process.command_line":"whoami"}`)
	a, b := "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
	want := a + "@1 " + b + "@1 " + a + "@3 " + b + "@3 Không có mã@4 Không có mã@5"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(refused) != 1 || !strings.Contains(refused[0].Error(), "d.yml:") {
		t.Errorf("refused: %v", refused)
	}
}

// TestEvalLogSource: a rule is skipped only where the event's own log source contradicts it.
func TestEvalLogSource(t *testing.T) {
	got, _ := evaluate(t, map[string]string{"a.yml": ruleA},
		`{"event":{"action":"login"}}`+"\n"+
			`{"event":{"action":"login"},"logsource":{"product":"linux"}}`+"\n"+
			`{"event":{"action":"login"},"logsource":{"product":"windows"}}`+"\n")
	if !strings.HasPrefix(got, "00000000-0000-4000-8000-00000000000a@1 00000000-0000-4000-8000-00000000000a@2") {
		t.Errorf("got %s", got)
	}
}

// TestEvalCorrelations: a correlation names the event that completes it.
func TestEvalCorrelations(t *testing.T) {
	base := "title: fail\nname: fail\nlogsource: {product: linux}\ndetection: {s: {event.outcome: failure}, condition: s}\n" +
		"---\ntitle: ok\nname: ok\nlogsource: {product: linux}\ndetection: {s: {event.outcome: success}, condition: s}\n"
	line := func(second int, outcome, user string, bytes int) string {
		return fmt.Sprintf(`{"@timestamp":"2026-11-29T02:10:%02dZ","event":{"outcome":%q},"user":{"name":%q},`+
			`"source":{"ip":"10.1.1.1","bytes":%d}}`+"\n", second, outcome, user, bytes)
	}
	events := line(0, "failure", "lan", 10) + line(1, "failure", "mai", 10) + line(2, "success", "lan", 10) +
		line(3, "failure", "lan", 100) + line(4, "failure", "bình", 10)
	for correlation, want := range map[string]string{
		"{type: event_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gt: 2}}":                       "4",
		"{type: value_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gte: 3, field: user.name}}":    "5",
		"{type: value_sum, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gte: 120, field: source.bytes}}": "4",
		"{type: temporal_ordered, rules: [fail, ok], group-by: [user.name], timespan: 1m}":                                  "3",
		"{type: event_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gte: 9}}":                      "",
	} {
		got, refused := evaluate(t, map[string]string{"a.yml": base + "---\ntitle: cor\ncorrelation: " + correlation + "\n"},
			events)
		if len(refused) > 0 {
			t.Errorf("%s: refused %v", correlation, refused)
		}
		var at []string
		for _, m := range strings.Split(got, " ") {
			if n, ok := strings.CutPrefix(m, "cor@"); ok {
				at = append(at, n)
			}
		}
		if strings.Join(at, ",") != want {
			t.Errorf("%s: completed by %v, want %s\n%s", correlation, at, want, got)
		}
	}
}
