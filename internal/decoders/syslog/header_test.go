// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// received is the clock of these tests: 10:00:05 on 24 November 2026 in Vietnam.
var received = time.Date(2026, 11, 24, 3, 0, 5, 0, time.UTC)

// show writes a header in one line: the parts that are there, in a fixed order.
func show(h Header) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v pri=%d", h.Format, h.Priority)
	if h.Version != 0 {
		fmt.Fprintf(&b, " v%d", h.Version)
	}
	if h.TimeClaimed {
		fmt.Fprintf(&b, " at=%s", time.Unix(0, h.Claimed).UTC().Format(time.RFC3339Nano))
		if h.ZoneClaimed {
			b.WriteString(" zoned")
		}
	}
	if h.ClockMark != 0 {
		fmt.Fprintf(&b, " mark=%c", h.ClockMark)
	}
	for _, part := range []struct {
		name  string
		value []byte
	}{{"host", h.Hostname}, {"app", h.AppName}, {"pid", h.ProcID}, {"msgid", h.MsgID}, {"sd", h.Structured},
		{"seq", h.Sequence}, {"mnemonic", h.Mnemonic}, {"msg", h.Message}} {
		if part.value != nil {
			fmt.Fprintf(&b, " %s=%q", part.name, part.value)
		}
	}
	return b.String()
}

// lines are the lines of testdata/headers.log, which are the seeds of FuzzHeader too.
func lines(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/headers.log")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

var update = flag.Bool("update", false, "write the golden files anew")

func TestParseGolden(t *testing.T) {
	var got strings.Builder
	for _, line := range lines(t) {
		h, err := Parse([]byte(line), Options{Received: received})
		if err != nil {
			t.Errorf("Parse(%q): %v", line, err)
		}
		fmt.Fprintf(&got, "%s\n", show(h))
	}
	if *update {
		if err := os.WriteFile("testdata/headers.golden", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile("testdata/headers.golden")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(golden), "\n")
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(want) || line != want[i] {
			t.Errorf("line %d of testdata/headers.log\n got %s\nwant %s", i+1, line, at(want, i))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func TestParseTrims(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		h, err := Parse([]byte(in), Options{Received: received})
		if err != nil || string(h.Message) != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", in, h.Message, err, want)
		}
	}
	f("<86>Nov 24 10:00:00 web1 sshd[1]: to\u0302\u0309 h\u01a1\u0323p\r\n\x00", "to\u0302\u0309 h\u01a1\u0323p")
	f("<86>Nov 24 10:00:00 web1 sshd[1]: tổ hợp\x00", "tổ hợp")
	f("\ufeff<13>Nov 24 10:00:00 web1 app: x", "x")
	f("\n<13>x\n", "x")
	f("<13>1 - - - - - - ", "")
	for _, empty := range []string{"", "\r\n", "\x00\x00", "\ufeff", " \t "} {
		if _, err := Parse([]byte(empty), Options{Received: received}); !errors.Is(err, ErrEmpty) {
			t.Errorf("Parse(%q): error %v, want ErrEmpty", empty, err)
		}
	}
}

func TestYear(t *testing.T) {
	f := func(now, stamp, want string) {
		t.Helper()
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		h, err := Parse([]byte("<13>"+stamp+" web1 app: x"), Options{Received: at, Zone: time.UTC})
		got := time.Unix(0, h.Time).UTC().Format(time.RFC3339)
		if err != nil || !h.TimeClaimed || got != want {
			t.Errorf("at %s, %q is %s (claimed %v, %v); want %s", now, stamp, got, h.TimeClaimed, err, want)
		}
	}
	f("2026-11-24T10:00:00Z", "Nov 24 09:59:59", "2026-11-24T09:59:59Z")
	f("2026-11-24T10:00:00Z", "Nov 25 10:00:00", "2026-11-25T10:00:00Z") // a day ahead, no more
	f("2026-11-24T10:00:00Z", "Nov 25 10:00:01", "2025-11-25T10:00:01Z")
	f("2027-01-01T00:00:03Z", "Dec 31 23:59:59", "2026-12-31T23:59:59Z")
	f("2026-12-31T23:59:58Z", "Jan  1 00:00:01", "2027-01-01T00:00:01Z")
	f("2026-12-30T23:59:58Z", "Jan  1 00:00:01", "2026-01-01T00:00:01Z")
	f("2024-12-31T12:00:00Z", "Jan  1 11:00:00", "2025-01-01T11:00:00Z") // the 366th day
	f("2028-02-29T10:00:00Z", "Feb 29 10:00:00", "2028-02-29T10:00:00Z")
	f("2028-02-28T10:00:01Z", "Feb 29 10:00:00", "2028-02-29T10:00:00Z")
	f("2027-03-01T10:00:00Z", "Feb 29 10:00:00", "2024-02-29T10:00:00Z")
	f("2104-01-01T00:00:00Z", "Feb 29 10:00:00", "2096-02-29T10:00:00Z") // 2100 is no leap year
	f("2026-06-30T10:00:00Z", "Jul 15 10:00:00", "2025-07-15T10:00:00Z")
}

func TestZone(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skipf("no zone database: %v", err)
	}
	f := func(zone *time.Location, stamp, want string) {
		t.Helper()
		h, _ := Parse([]byte("<13>"+stamp+" web1 app: x"), Options{Received: received, Zone: zone})
		if got := time.Unix(0, h.Time).UTC().Format(time.RFC3339); got != want || string(h.Hostname) != "web1" {
			t.Errorf("%q in %v is %s on %q, want %s", stamp, zone, got, h.Hostname, want)
		}
	}
	f(nil, "Nov 24 10:00:00", "2026-11-24T03:00:00Z")
	for _, name := range []string{"Asia/Ho_Chi_Minh", "Asia/Saigon", "Asia/Bangkok"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		f(zone, "Nov 24 10:00:00", "2026-11-24T03:00:00Z")
		f(zone, "1976 Nov 24 10:00:00", "1976-11-24T03:00:00Z")
	}
	saigon, _ := time.LoadLocation("Asia/Saigon")
	f(saigon, "1974 Nov 24 10:00:00", "1974-11-24T02:00:00Z") // UTC+8 then
	f(newYork, "Nov 23 10:00:00", "2026-11-23T15:00:00Z")
	f(newYork, "Jul 23 10:00:00", "2026-07-23T14:00:00Z")
	f(newYork, "2026-07-23 10:00:00", "2026-07-23T14:00:00Z")
	f(newYork, "2026-07-23T10:00:00+07:00", "2026-07-23T03:00:00Z")
	f(newYork, "Nov 23 10:00:00 UTC", "2026-11-23T10:00:00Z")
	f(newYork, "Nov 23 10:00:00 ICT", "2026-11-23T03:00:00Z")
}

// TestCiscoUnsetClock: a clock that says it was never set must not move the event by months.
func TestCiscoUnsetClock(t *testing.T) {
	h, _ := Parse([]byte("<189>7: *Mar  1 00:00:00: %SYS-5-CONFIG_I: x"), Options{Received: received})
	if h.Time != received.UnixNano() || h.Claimed == h.Time || h.ClockMark != '*' {
		t.Errorf("time %d, claimed %d, mark %q; want the time of reception", h.Time, h.Claimed, h.ClockMark)
	}
	h, _ = Parse([]byte("<189>7: *Nov 24 10:00:00: %SYS-5-CONFIG_I: x"), Options{Received: received})
	if h.Time != h.Claimed || h.Time == received.UnixNano() {
		t.Errorf("time %d, claimed %d; want the claimed time, which is near", h.Time, h.Claimed)
	}
}

func TestEachParam(t *testing.T) {
	sd := `[a@1 x="q\"b\\s\]e\n" y=""][b@2][meta sequenceId="7" x="tiếng Việt"]`
	want := `a@1 x "q\"b\\s]e\\n"; a@1 y ""; meta sequenceId "7"; meta x "tiếng Việt"`
	var got []string
	EachParam([]byte(sd), func(id, name, value []byte) bool {
		got = append(got, fmt.Sprintf("%s %s %q", id, name, value))
		return true
	})
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	n := 0
	EachParam([]byte(sd), func(_, _, _ []byte) bool { n++; return false })
	if n != 1 {
		t.Errorf("a function that returns false was called %d times", n)
	}
}

// TestStrictAgrees: on the examples of the RFCs the fast path and the library say the same.
func TestStrictAgrees(t *testing.T) {
	data, err := os.ReadFile("testdata/rfc.log")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		ours, err := Parse([]byte(line), Options{Received: received})
		if err != nil {
			t.Errorf("Parse(%q): %v", line, err)
		}
		theirs, err := Parse([]byte(line), Options{Received: received, Strict: true})
		if err != nil {
			t.Errorf("strict Parse(%q): %v", line, err)
			continue
		}
		if show(ours) != show(theirs) {
			t.Errorf("%q\nours   %s\ntheirs %s", line, show(ours), show(theirs))
		}
	}
	if h, err := Parse([]byte("no header"), Options{Received: received, Strict: true}); err == nil {
		t.Errorf("strict Parse of a line without a header: %s, want an error", show(h))
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	for _, line := range lines(t) {
		raw := []byte(line)
		if n := testing.AllocsPerRun(20, func() { _, _ = Parse(raw, Options{Received: received}) }); n > 0 {
			t.Errorf("Parse(%q) allocates %v times", line, n)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, line := range lines(f) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := Parse(raw, Options{Received: received})
		if err != nil && !errors.Is(err, ErrEmpty) {
			t.Fatalf("Parse(%q): %v", raw, err)
		}
		if h.Priority < -1 || h.Priority > 191 {
			t.Fatalf("Parse(%q): priority %d", raw, h.Priority)
		}
		// Every part is a part of the line, and what the header took is shorter than the line.
		for _, part := range [][]byte{h.Hostname, h.AppName, h.ProcID, h.MsgID, h.Structured, h.Sequence, h.Mnemonic,
			h.Message} {
			if !bytes.Contains(raw, part) {
				t.Fatalf("Parse(%q): %q is not part of the line", raw, part)
			}
		}
		b := event.NewBuilder("test", 1)
		b.Begin(0, 0)
		h.Fields(b)
		b.End()
		_, _ = Parse(raw, Options{Received: received, Strict: true})
	})
}

func BenchmarkParse(b *testing.B) {
	for name, line := range map[string]string{
		"rfc3164": "<86>Nov 24 10:00:00 web1 sshd[4321]: Failed password for invalid user admin from 203.0.113.9 port 22 ssh2",
		"rfc5424": `<86>1 2026-11-24T10:00:00.123456+07:00 web1 sshd 4321 - [meta sequenceId="7"] Failed password for root`,
		"fortigate": `<189>date=2026-11-24 time=10:00:00 devname="FGT" devid="FG1" eventtime=1795489200123456789 ` +
			`tz="+0700" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.1.1.1`,
		"asa": "<164>Nov 24 2026 10:00:00 fw1 : %ASA-4-106023: Deny tcp src outside:1.2.3.4/1 dst inside:10.0.0.1/2",
	} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(line)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = Parse(raw, Options{Received: received})
			}
		})
	}
}
