// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/haidang-soc/haidang/internal/corpora"
)

type row struct {
	Src   string `json:"source.ip"`
	Dst   string `json:"destination.ip"`
	SPort int    `json:"source.port"`
	DPort int    `json:"destination.port"`
	Proto int    `json:"network.iana_number"`

	Bytes    uint64 `json:"bytes"`
	Packets  uint64 `json:"packets"`
	Times    int    `json:"times"`
	Disputed bool   `json:"counters_disputed"`
}

func (r row) key(counters bool) string {
	s := fmt.Sprintf("%s:%d > %s:%d proto %d", r.Src, r.SPort, r.Dst, r.DPort, r.Proto)
	if counters {
		s += fmt.Sprintf(" %d bytes %d packets", r.Bytes, r.Packets)
	}
	return s
}

func datagrams(tb testing.TB, dir string) (list [][]byte) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.bin"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("%s: no datagrams: %v", dir, err)
	}
	slices.Sort(files)
	for _, f := range files {
		p, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func text4(a netip.Addr) string {
	if !a.IsValid() || a.IsUnspecified() {
		return ""
	}
	return a.String()
}

func parse(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

// TestCorpus decodes every case and finds exactly the flows that two other decoders agree on. Where those say that a
// flow has no bytes only because they do not read the counters its template carries, ours must have read them.
func TestCorpus(t *testing.T) {
	dir := corpora.Path(t, "netflow")
	f, err := os.Open(filepath.Join(dir, "expected.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, flows, explained := 0, 0, 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c struct {
			Case  string
			Flows []row
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases++
		got := map[string]int{}
		counted := map[string]uint64{}
		d := NewDecoder(nil)
		for _, p := range datagrams(t, filepath.Join(dir, c.Case)) {
			_ = d.Decode(netip.MustParseAddr("192.0.2.1"), p, 1, func(f *Flow) {
				r := row{Src: text4(f.Src), Dst: text4(f.Dst), SPort: int(f.SrcPort), DPort: int(f.DstPort),
					Proto: int(f.Protocol), Bytes: f.Bytes, Packets: f.Packets}
				got[r.key(true)]++
				counted[r.key(false)] += f.Bytes + f.Packets + f.ReplyBytes
				flows++
			})
		}
		for _, want := range c.Flows {
			// The others print an address of zeros as none, or as it is.
			want.Src, want.Dst = text4(parse(want.Src)), text4(parse(want.Dst))
			switch n := got[want.key(true)]; {
			case n >= want.Times:
			case want.Disputed && counted[want.key(false)] > 0:
				explained++ // totals, initiator or outgoing counters, which the others do not read
			default:
				t.Errorf("%s: want %d of %s, got %d", c.Case, want.Times, want.key(true), n)
			}
		}
		if t.Failed() {
			for k, n := range got {
				t.Logf("%s: got %d %s", c.Case, n, k)
			}
			t.FailNow()
		}
		t.Logf("%-70s %v", c.Case, d.Stats())
	}
	t.Logf("%d cases, %d flows, %d with counters that only we read", cases, flows, explained)
	if cases < 48 || explained == 0 {
		t.Errorf("%d cases", cases)
	}
}

func TestHostile(t *testing.T) {
	dir := filepath.Join(corpora.Path(t, "netflow"), "hostile")
	for name, want := range map[string]struct {
		reason Reason
		flows  int
	}{
		"zero-length-template.nf9.bin": {BadTemplate, 0},
		"huge-record-count.sflow.bin":  {UnknownVersion, 0},
		"claims-55582-records.nf5.bin": {Truncated, 1},
	} {
		p, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		d := NewDecoder(nil)
		n := 0
		allocated := testing.AllocsPerRun(1, func() {
			n = 0
			err = d.Decode(netip.MustParseAddr("192.0.2.66"), p, 1, func(*Flow) { n++ })
		})
		var e *Error
		if !errors.As(err, &e) || e.Reason != want.reason || e.Exporter != netip.MustParseAddr("192.0.2.66") {
			t.Errorf("%s: error %v, want reason %s", name, err, want.reason)
		}
		if n != want.flows || allocated > 50 || d.Stats().Failed[want.reason] == 0 {
			t.Errorf("%s: %d flows, %.0f allocations, %v", name, n, allocated, d.Stats())
		}
	}
}
