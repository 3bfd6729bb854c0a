// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/decoders/syslog"
	"github.com/haidang-soc/haidang/internal/event"
)

// received is the moment every test line arrives at.
var received = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

// decodeOne decodes a line and returns its event.
func decodeOne(t testing.TB, line string) event.Event {
	t.Helper()
	b := event.NewBuilder("test", 1)
	b.Begin(1, 0)
	New(Config{}).Decode(b, []byte(line), &Meta{Received: received})
	b.End()
	return b.Batch(0, 1).At(0)
}

func TestDecodeSSHD(t *testing.T) {
	e := decodeOne(t, "<38>Nov 24 09:09:58 cong-dvc sshd[812]: Failed password for invalid user x from 1.1.1.1 port 1"+
		" from 203.0.113.9 port 40022 ssh2")
	for id, want := range map[event.FieldID]string{
		event.UserName:     "x from 1.1.1.1 port 1",
		event.SourceIP:     "203.0.113.9",
		event.SourcePort:   "40022",
		event.EventAction:  "ssh_login",
		event.EventOutcome: "failure",
		event.HostName:     "cong-dvc",
		event.ProcessName:  "sshd",
	} {
		v, _ := e.Get(id)
		if got := v.String(); got != want {
			t.Errorf("%s = %q, want %q", id.Name(), got, want)
		}
	}
}

// TestRefusalSetsNothing offers every line to every decoder: one that answers false must have left no trace, for the
// next one's event would carry it.
func TestRefusalSetsNothing(t *testing.T) {
	set := New(Config{})
	for _, path := range logs(t) {
		for _, raw := range logLines(t, path) {
			for i := range known {
				b := event.NewBuilder("test", 1)
				b.Begin(1, 0)
				x := &line{b: b, m: &Meta{Received: received}}
				head, err := syslog.Parse([]byte(raw), syslog.Options{Received: received})
				if err != nil {
					continue
				}
				x.head, x.msg = head, string(head.Message)
				set.header(x)
				before := dump(b)
				if !known[i].decode(x) && (dump(b) != before || x.nip+x.nuser > 0) {
					t.Errorf("%s refused %q and set something:\n%s\n%s", known[i].name, raw, before, dump(b))
				}
			}
		}
	}
}

func dump(b *event.Builder) string {
	var s []byte
	for id, v := range b.Fields {
		s = append(append(append(s, id.Name()...), '='), v.AppendText(nil)...)
		s = append(s, '\n')
	}
	return string(s)
}

// TestChoice wants the rows of the table to be reached, each by a line of the golden inputs, and names to be unique.
func TestChoice(t *testing.T) {
	reached := map[string]bool{}
	for _, path := range logs(t) {
		for _, raw := range logLines(t, path) {
			reached[decodeOne(t, raw).Text(event.HaidangDecoder)] = true
		}
	}
	names, apps := map[string]bool{fallback: true}, map[string]string{}
	for i := range known {
		d := &known[i]
		if names[d.name] {
			t.Errorf("two decoders are called %q", d.name)
		}
		names[d.name] = true
		if !reached[d.name] {
			t.Errorf("no line of testdata reaches %q", d.name)
		}
		if d.test == nil && len(d.apps) == 0 {
			t.Errorf("%q can never be chosen", d.name)
		}
		for _, app := range d.apps {
			if other := apps[app]; other != "" {
				t.Errorf("%q and %q both take the process %q", other, d.name, app)
			}
			apps[app] = d.name
		}
	}
}

// TestConcurrent decodes with one Set on several goroutines; the race detector watches.
func TestConcurrent(t *testing.T) {
	set := New(Config{})
	want := string(event.AppendJSON(nil, fuzzEvent(set, []byte(shapes[0].line)), true))
	done := make(chan string)
	for range 4 {
		go func() {
			got := ""
			for i := range 200 {
				fuzzEvent(set, []byte(shapes[1+i%(len(shapes)-1)].line))
				got = string(event.AppendJSON(nil, fuzzEvent(set, []byte(shapes[0].line)), true))
			}
			done <- got
		}()
	}
	for range 4 {
		if got := <-done; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestDocs wants every decoder to have its row in docs/decoders.md.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../../docs/decoders.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range known {
		if !strings.Contains(string(data), "\n| `"+known[i].name+"` |") {
			t.Errorf("docs/decoders.md has no row for %q", known[i].name)
		}
	}
}

// TestSenderNames wants a sender who invents names to run out of them, without loss and without harm to others.
func TestSenderNames(t *testing.T) {
	set := New(Config{})
	set.names.Store(maxSenderNames)
	e := fuzzEvent(set, []byte(`{"never_seen_before_by_anybody":"x","another_new_name":"y"}`))
	v, _ := e.Get(event.HaidangExtra)
	if got := v.String(); got != "never_seen_before_by_anybody=x another_new_name=y" {
		t.Errorf("haidang.extra = %q", got)
	}
	if _, ok := event.Lookup("haidang.extra.never_seen_before_by_anybody"); ok {
		t.Error("the name was registered")
	}
}

func TestStrict(t *testing.T) {
	b := event.NewBuilder("test", 1)
	b.Begin(1, 0)
	New(Config{Strict: true}).Decode(b, []byte("no header"), &Meta{Received: received})
	if b.Text(event.EventKind) != "pipeline_error" || b.Text(event.ErrorMessage) == "" ||
		b.Text(event.EventOriginal) != "no header" {
		t.Errorf("kind %q, error %q", b.Text(event.EventKind), b.Text(event.ErrorMessage))
	}
}
