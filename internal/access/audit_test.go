// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

func writeAudit(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.ndjson")
	a, err := OpenAudit(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		e := Entry{At: time.Unix(1, 0), Actor: "an", Action: "alert.ack", Target: "x", OK: true}
		if err := a.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func count(t *testing.T, a *Audit) (n int) {
	t.Helper()
	for _, err := range a.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestAuditGoesOnAfterReopening(t *testing.T) {
	path := writeAudit(t, 3)
	a, err := OpenAudit(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Append(Entry{Actor: "b\xff", Action: "x", Detail: strings.Repeat("đ", maxEntry)}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, a); n != 4 {
		t.Errorf("%d entries", n)
	}
}

func TestAuditTornLine(t *testing.T) {
	path := writeAudit(t, 2)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	var told []Entry
	a, err := OpenAudit(path, func(e Entry) { told = append(told, e) })
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if n := count(t, a); n != 2 || len(told) != 1 || told[0].Action != "audit.repair" {
		t.Errorf("%d entries, told %+v", n, told)
	}
}

func TestAuditSeesTampering(t *testing.T) {
	lines := func(path string) [][]byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.SplitAfter(data, []byte("\n"))
	}
	for name, change := range map[string]func([][]byte) [][]byte{
		"changed":   func(l [][]byte) [][]byte { l[1] = bytes.Replace(l[1], []byte(`"an"`), []byte(`"em"`), 1); return l },
		"taken out": func(l [][]byte) [][]byte { return append(l[:1:1], l[2:]...) },
		"swapped":   func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l },
		"doubled":   func(l [][]byte) [][]byte { return append(l[:2:2], l[1:]...) },
		"no JSON":   func(l [][]byte) [][]byte { l[1] = []byte("hello\n"); return l },
		"too long":  func(l [][]byte) [][]byte { l[1] = bytes.Repeat([]byte("x"), 3*maxEntry); return l },
	} {
		path := writeAudit(t, 4)
		if err := os.WriteFile(path, bytes.Join(change(lines(path)), nil), 0o600); err != nil {
			t.Fatal(err)
		}
		if a, err := OpenAudit(path, nil); err == nil {
			a.Close()
			t.Errorf("%s: not seen", name)
		}
	}
}

func TestAuditEvent(t *testing.T) {
	b := event.NewBuilder("derived", 1)
	b.Begin(1, 0)
	Entry{Seq: 7, At: time.Unix(100, 0), Actor: "an", Action: "token.denied", Target: "k", Remote: "10.0.0.1:9"}.Fill(b)
	b.End()
	e := b.Batch(1, 2).At(0)
	if e.Time() != 100e9 || e.Text(event.EventOutcome) != "failure" || e.Text(event.UserName) != "an" ||
		e.Text(event.HaidangSystemID) != "soc" || e.Text(event.EventDataset) != "haidang.audit" {
		t.Errorf("event %s", event.AppendJSON(nil, e, true))
	}
}

func TestDenialsAreCounted(t *testing.T) {
	s := open(t)
	deny := func() {
		if _, err := s.Authenticate(t.Context(), tokenPrefix+"000000000000_x", "198.51.100.7:1"); err != ErrDenied {
			t.Fatal(err)
		}
	}
	for range 5 {
		deny()
	}
	if len(s.told) != 1 {
		t.Errorf("%d entries for five equal denials", len(s.told))
	}
	s.at = s.at.Add(denialQuiet)
	deny()
	if len(s.told) != 2 || !strings.Contains(s.told[1].Detail, "4 times before") {
		t.Errorf("entries %+v", s.told)
	}
	var d denials
	written := 0
	for i := range 10 * maxDenials {
		if ok, _ := d.admit(s.at, strings.Repeat("x", i%7)+string(rune(i))); ok {
			written++
		}
	}
	if len(d.seen) > maxDenials+1 || written > maxDenials+1 {
		t.Errorf("%d kinds kept, %d written", len(d.seen), written)
	}
}
