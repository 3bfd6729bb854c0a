// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haidang-soc/haidang/internal/event"
)

const windowsDoc = `{
  "Event": {
    "System": {
      "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon", "Guid": "x"}},
      "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 1},
      "TimeCreated": {"#attributes": {"SystemTime": "2026-11-29T02:10:00.5Z"}},
      "Channel": "Microsoft-Windows-Sysmon/Operational",
      "Computer": "máy-chủ-1",
      "Correlation": null
    },
    "EventData": {"#attributes": {"Name": "x"}, "CommandLine": "whoami /all", "Company": "", "Data": ["a", {"#text": "b"}],
      "ProcessId": 4460}
  }
}
`

func TestDocuments(t *testing.T) {
	input := "\ufeff" + `{"a": 1}` + "\n\n" + windowsDoc + "{\"broken\": [\n{\"b\": \"{\\\"\"}\nnot json\n" +
		`{"Event": {"System": {"EventID": 5}, "UserData": {"EventXML": {"Param": "p", "EventID": 6}}}}`
	var got []string
	for doc, err := range Documents(strings.NewReader(input), 7) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint(doc.N, " line ", doc.Line, " bad ", doc.Err != nil)
		for id, v := range doc.Event.Fields() {
			line += fmt.Sprintf(" %s=%s", id.Name(), v)
		}
		got = append(got, line)
	}
	want := []string{
		"7 line 1 bad false a=1",
		"8 line 3 bad false",
		"9 line 17 bad true",
		"10 line 18 bad false b={\"",
		"11 line 19 bad true",
		"12 line 20 bad false",
	}
	for i, w := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Fatalf("document %d of %q: want %q", i, got, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d documents, want %d", len(got), len(want))
	}
	for _, pair := range []string{"EventID=1", "Provider_Name=Microsoft-Windows-Sysmon", "CommandLine=whoami /all", "Company=", "Data=a b",
		"ProcessId=4460", "Computer=máy-chủ-1"} {
		if !strings.Contains(got[1]+" ", " "+pair+" ") {
			t.Errorf("%q is not in %q", pair, got[1])
		}
	}
	if !strings.Contains(got[5], "EventID=5") || !strings.Contains(got[5], "Param=p") {
		t.Errorf("UserData: %q", got[5])
	}
	ev := read(t, windowsDoc)
	if v, ok := ev.Get(event.Timestamp); !ok || v.String() != "2026-11-29T02:10:00.5Z" {
		t.Errorf("@timestamp %v", v)
	}
	if ev := read(t, `{"UtcTime": "2026-11-29 02:10:00.25"}`); ev.Time() == 0 {
		t.Error("UtcTime is not taken as the time")
	}
}

func TestDocumentsTooLong(t *testing.T) {
	for _, input := range []string{strings.Repeat("x", maxDocument+1), "{\n" + strings.Repeat(" \"x\":\n", maxDocument/6+1)} {
		n, last := 0, error(nil)
		for _, err := range Documents(strings.NewReader(input), 1) {
			n, last = n+1, err
		}
		if n != 1 || last == nil || !strings.Contains(last.Error(), "longer") {
			t.Errorf("%d documents, error %v", n, last)
		}
	}
}

func TestEvaluate(t *testing.T) {
	s := compile(t, strings.Replace(detection("{a: x}"), "title: t", "title: z", 1)+"---\n"+
		strings.Replace(detection("{a: x}"), "title: t", "title: t\nid: b", 1)+"---\n"+detection("{a: y}"))
	var got []string
	for r, err := range s.Evaluate(strings.NewReader("{\"a\": \"x\"}\n{\"a\": \"y\"}\n{\"a\"\n"), 1) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint(r.N, r.Err != nil)
		for _, h := range r.Hits {
			line += " " + s.Rule(h.Rule).Key()
		}
		got = append(got, line)
	}
	if diff := cmp.Diff([]string{"1 false b z", "2 false t", "3 true"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
