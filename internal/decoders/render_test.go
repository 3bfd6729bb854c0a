// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func render(t *testing.T, in string, asJSON, colour bool) string {
	t.Helper()
	var out bytes.Buffer
	err := Render(context.Background(), RenderConfig{Set: New(Config{}), In: strings.NewReader(in), Out: &out,
		Name: "t", Now: received, JSON: asJSON, Colour: colour})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRenderJSON(t *testing.T) {
	in := sshdLine + "\r\n\nno header at all\n" + strings.Repeat("y", 3*MaxOriginal) + "\nlast without an end"
	docs := strings.Split(strings.TrimSuffix(render(t, in, true, false), "\n"), "\n")
	if len(docs) != 5 {
		t.Fatalf("%d documents for 5 lines", len(docs))
	}
	var want = []string{sshdLine, "", "no header at all", strings.Repeat("y", MaxOriginal), "last without an end"}
	for i, doc := range docs {
		var d struct {
			Event struct{ Original, Kind string }
			Host  struct{ Name string }
		}
		if err := json.Unmarshal([]byte(doc), &d); err != nil {
			t.Fatalf("document %d: %v", i+1, err)
		}
		if d.Event.Original != want[i] {
			t.Errorf("document %d holds %d bytes %.40q, want %.40q", i+1, len(d.Event.Original), d.Event.Original,
				want[i])
		}
		if (d.Event.Kind == "pipeline_error") != (i == 1) {
			t.Errorf("document %d has kind %q", i+1, d.Event.Kind)
		}
	}
}

func TestRenderHuman(t *testing.T) {
	out := render(t, sshdLine+"\n", false, false)
	for _, want := range []string{`line 1: sshd, because the process name is "sshd" (header: BSD`, "user.name", "root",
		"source.ip", "203.0.113.9"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing from\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("colours without being asked")
	}
	if !strings.Contains(render(t, sshdLine+"\n", false, true), colourName) {
		t.Error("no colours though asked for")
	}
}

// TestRenderEscapes wants nothing of a line to reach the terminal as a command.
func TestRenderEscapes(t *testing.T) {
	out := render(t, "<13>Nov 24 09:18:00 may app: \x1b[2J\x07 \u202e h\u1ed3 \xff\n", false, false)
	for _, bad := range []string{"\x1b", "\x07", "\u202e"} {
		if strings.Contains(out, bad) {
			t.Errorf("%q reaches the terminal", bad)
		}
	}
	if !strings.Contains(out, "h\u1ed3") {
		t.Errorf("the text is gone:\n%s", out)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken pipe")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestRenderStops(t *testing.T) {
	err := Render(context.Background(), RenderConfig{Set: New(Config{}), In: strings.NewReader("a\nb\n"),
		Out: brokenWriter{}, Now: received})
	if !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

func TestExplain(t *testing.T) {
	for line, want := range map[string]string{
		sshdLine: "sshd",
		"203.0.113.9 - - [24/Nov/2026:09:14:00 +0700] \"GET / HTTP/1.1\" 200 1":   "web.access",
		"%ASA-6-302014: Teardown TCP connection 1 for a:1.1.1.1/1 to b:2.2.2.2/2": "cisco.asa",
		"{\"a\":1,\"bcd\":\"efgh\",\"ijkl\":1}":                                   "json",
		"hello":                                                                   "syslog",
		"":                                                                        "none",
	} {
		e := New(Config{}).Explain([]byte(line), &Meta{Received: received})
		if e.Decoder != want || e.Why == "" {
			t.Errorf("%q: %+v, want %s", line, e, want)
		}
	}
}
