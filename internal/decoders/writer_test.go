// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// kept is an event.Writer that keeps what it is given.
type kept struct {
	batches []*event.Batch
	err     error
}

func (k *kept) Write(_ context.Context, b *event.Batch) error {
	if k.err != nil {
		return k.err
	}
	k.batches = append(k.batches, b)
	return nil
}

// rawBatch is what the syslog collector emits for the lines, numbered from 100.
func rawBatch(lines ...string) *event.Batch {
	b := event.NewBuilder("listener/udp", 7)
	for i, line := range lines {
		b.Begin(uint64(100+i), 0)
		b.Str(event.EventOriginal, line)
		b.Time(event.EventCreated, received.UnixNano())
		b.IPs(event.ObserverIP, netip.MustParseAddr("10.20.1.2"))
		b.Str(event.HaidangListener, "udp")
		b.Str(event.HaidangSite, "tinh")
		b.Str(event.HaidangFormat, "syslog")
		b.End()
	}
	return b.Batch(100, uint64(100+len(lines)))
}

const sshdLine = "<38>Nov 24 09:10:01 cong-dvc sshd[812]: Failed password for root from 203.0.113.9 port 40022 ssh2"

func TestWriter(t *testing.T) {
	in := rawBatch(sshdLine, "<13>Nov 24 09:18:00 may-tram app: \u0110\u00e3 m\u1edf", "\x00\x00")
	var next kept
	sites := ""
	w := &Writer{Set: New(Config{}), Next: &next, Enrich: func(b *event.Builder, site string) {
		sites += site
		if v, ok := b.Get(event.SourceIP); ok && v.IP().String() == "203.0.113.9" {
			b.Int(event.HaidangLevel, 3)
		}
	}}
	if err := w.Write(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	out := next.batches[0]
	if out.Source() != "listener/udp" || out.Epoch() != 7 || out.First() != 100 || out.Last() != 103 || out.Len() != 3 {
		t.Fatalf("source %q, epoch %d, [%d, %d), %d events", out.Source(), out.Epoch(), out.First(), out.Last(),
			out.Len())
	}
	for i := range in.Len() {
		a, b := in.At(i), out.At(i)
		if a.ID() != b.ID() || a.Created() != b.Created() || a.Text(event.EventOriginal) != b.Text(event.EventOriginal) {
			t.Errorf("event %d: id, time or original changed", i)
		}
		if b.Has(event.HaidangFormat) || b.Text(event.HaidangSite) != "tinh" || b.Text(event.HaidangListener) != "udp" {
			t.Errorf("event %d: format kept, or site or listener lost", i)
		}
		if v, _ := b.Get(event.ObserverIP); v.At(0).IP().String() != "10.20.1.2" {
			t.Errorf("event %d: observer.ip = %v", i, v)
		}
	}
	if e := out.At(0); e.Text(event.UserName) != "root" || e.Text(event.HostName) != "cong-dvc" {
		t.Errorf("user %q on %q", e.Text(event.UserName), e.Text(event.HostName))
	}
	if v, _ := out.At(0).Get(event.HaidangLevel); v.Int() != 3 {
		t.Errorf("the enriched level is lost")
	}
	if kind := out.At(2).Text(event.EventKind); kind != "pipeline_error" {
		t.Errorf("an empty message has event.kind %q", kind)
	}
	if sites != "tinhtinhtinh" {
		t.Errorf("sites = %q", sites)
	}
	if got, want := w.Stats(), (Stats{Raw: 3, Undecoded: 1, Refused: 1}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}

func TestWriterCopiesDecodedEvents(t *testing.T) {
	b := event.NewBuilder("flows", 1)
	b.Begin(5, 2)
	b.Time(event.Timestamp, 42)
	b.Str(event.EventDataset, "netflow.flow")
	b.IP(event.SourceIP, netip.MustParseAddr("203.0.113.9"))
	b.Int(event.SourceBytes, 99)
	b.End()
	in := b.Batch(5, 6)
	var next kept
	w := &Writer{Set: New(Config{}), Next: &next, Enrich: func(b *event.Builder, _ string) {
		b.Int(event.HaidangLevel, 4)
	}}
	if err := w.Write(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	e := next.batches[0].At(0)
	bytes, _ := e.Get(event.SourceBytes)
	level, _ := e.Get(event.HaidangLevel)
	if e.ID() != in.At(0).ID() || e.Time() != 42 || bytes.Int() != 99 || level.Int() != 4 {
		t.Errorf("the flow changed: %v, %v, level %v", e.Time(), bytes, level)
	}
	if w.Stats().Copied != 1 {
		t.Errorf("stats %+v", w.Stats())
	}
}

func TestWriterRecoversFromPanic(t *testing.T) {
	var next kept
	told := 0
	w := &Writer{Set: New(Config{}), Next: &next, Panicked: func(any) { told++ },
		Enrich: func(b *event.Builder, _ string) {
			if b.Text(event.UserName) == "root" {
				panic("a bug")
			}
		}}
	in := rawBatch(sshdLine, strings.Replace(sshdLine, "root", "lan", 1))
	if err := w.Write(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	bad, good := next.batches[0].At(0), next.batches[0].At(1)
	if bad.Text(event.EventKind) != "pipeline_error" || bad.Text(event.EventOriginal) != sshdLine ||
		bad.ID() != in.At(0).ID() || !strings.Contains(bad.Text(event.ErrorMessage), "a bug") || bad.Time() == 0 {
		t.Errorf("the panicked event is %q %q", bad.Text(event.EventKind), bad.Text(event.ErrorMessage))
	}
	if bad.Has(event.HaidangFormat) || bad.Text(event.HaidangSite) != "tinh" {
		t.Errorf("the panicked event lost its origin")
	}
	if good.Text(event.UserName) != "lan" {
		t.Errorf("the event beside it is lost")
	}
	if w.Stats().Panics != 1 || told != 1 {
		t.Errorf("%d panics counted, %d told", w.Stats().Panics, told)
	}
}

func TestWriterReturnsError(t *testing.T) {
	full := errors.New("full")
	w := &Writer{Set: New(Config{}), Next: &kept{err: full}}
	if err := w.Write(context.Background(), rawBatch(sshdLine)); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

// TestWriterSplits wants a batch that grows beyond what one record may hold to go on in parts with adjoining ranges.
func TestWriterSplits(t *testing.T) {
	var lines []string
	for range 40 {
		lines = append(lines, "<13>Nov 24 09:18:00 may app: "+strings.Repeat("x", 30<<10))
	}
	var next kept
	w := &Writer{Set: New(Config{}), Next: &next}
	if err := w.Write(context.Background(), rawBatch(lines...)); err != nil {
		t.Fatal(err)
	}
	at, n := uint64(100), 0
	for _, b := range next.batches {
		if b.First() != at {
			t.Errorf("a batch begins at %d, want %d", b.First(), at)
		}
		if b.Size() > 1<<20 {
			t.Errorf("a batch has %d bytes", b.Size())
		}
		for e := range b.Events() {
			if u := e.ID().Unit(); u < b.First() || u >= b.Last() {
				t.Errorf("unit %d in [%d, %d)", u, b.First(), b.Last())
			}
		}
		at, n = b.Last(), n+b.Len()
	}
	if at != 140 || n != 40 || len(next.batches) < 2 {
		t.Errorf("%d batches end at %d with %d events", len(next.batches), at, n)
	}
}

func TestLimits(t *testing.T) {
	for name, line := range map[string]string{
		"text":      "<13>Nov 24 09:18:00 may app: " + strings.Repeat("x", 1<<20),
		"sudo":      "<13>Nov 24 09:18:00 may sudo: a : PWD=/ ; USER=b ; COMMAND=" + strings.Repeat("x", 1<<20),
		"key value": "<13>Nov 24 09:18:00 may app: " + strings.Repeat("abcdefg=h ", 200<<10),
		"json":      `{"a":"` + strings.Repeat(`\u00e9`, 7<<10) + `"}`,
		"escapes": `203.0.113.9 - - [24/Nov/2026:09:14:00 +0700] "GET /` + strings.Repeat("%FF?", 9<<10) +
			` HTTP/1.1" 200 1`,
	} {
		t.Run(name, func(t *testing.T) {
			b := event.NewBuilder("test", 1)
			b.Begin(1, 0)
			New(Config{}).Decode(b, []byte(line), &Meta{Received: received})
			if n := b.EventSize(); n > MaxEvent {
				t.Errorf("the event has %d bytes", n)
			}
			if len(line) > MaxDecoded && !b.Has(event.HaidangTruncated) {
				t.Error("the cut is not marked")
			}
			if !b.Has(event.EventOriginal) {
				t.Error("event.original is lost")
			}
		})
	}
}

func TestEncodingAndZone(t *testing.T) {
	var next kept
	w := &Writer{Set: New(Config{}), Next: &next,
		Origin: func(listener string, peer netip.Addr) (*time.Location, string) {
			if listener != "udp" || peer.String() != "10.20.1.2" {
				t.Errorf("origin %q %v", listener, peer)
			}
			return time.UTC, "windows-1258"
		}}
	// In windows-1258 0xF0 is the letter d with a stroke.
	if err := w.Write(context.Background(), rawBatch("<13>Nov 24 01:18:00 may app: \xf0a")); err != nil {
		t.Fatal(err)
	}
	e := next.batches[0].At(0)
	if got := e.Text(event.Message); got != "\u0111a" {
		t.Errorf("message %q", got)
	}
	if got := time.Unix(0, e.Time()).UTC().Format(time.RFC3339); got != "2026-11-24T01:18:00Z" {
		t.Errorf("time %s", got)
	}
	if e.Text(event.EventOriginal) != "<13>Nov 24 01:18:00 may app: \xf0a" || e.Text(event.HaidangEncoding) == "" {
		t.Errorf("original %q, encoding %q", e.Text(event.EventOriginal), e.Text(event.HaidangEncoding))
	}
}
