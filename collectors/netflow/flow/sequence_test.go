// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// step is one datagram of an exporter: its sequence number, how many units it holds, when it came.
type step struct {
	seq, units uint32
	at         time.Duration
	uptime     uint32 // ms; 0: at
}

func lost(version uint16, steps []step) (total, lates, restarts uint64) {
	var s sequence
	for _, x := range steps {
		up := x.uptime
		if up == 0 {
			up = uint32(x.at/time.Millisecond) + 100_000
		}
		h := head{version: version, sequence: x.seq, uptime: up, received: int64(x.at)}
		s.see(&h, x.units, counted)
		total += s.settle(h.received)
	}
	return total + s.settle(1<<62), s.late, s.restarts
}

func TestSequence(t *testing.T) {
	const sec = time.Second
	for _, c := range []struct {
		name                  string
		version               uint16
		steps                 []step
		lost, lates, restarts uint64
	}{
		{"in order", 5, []step{{0, 30, 0, 0}, {30, 30, sec, 0}, {60, 2, 2 * sec, 0}}, 0, 0, 0},
		{"one datagram of v9 missing", 9, []step{{7, 1, 0, 0}, {9, 1, sec, 0}}, 1, 0, 0},
		{"thirty records of v5 missing", 5, []step{{0, 30, 0, 0}, {60, 30, sec, 0}}, 30, 0, 0},
		{"reordered", 10, []step{{0, 10, 0, 0}, {20, 10, 1, 0}, {10, 10, 2, 0}, {30, 10, 3, 0}}, 0, 1, 0},
		{"late beyond the window", 9, []step{{0, 1, 0, 0}, {2, 1, 0, 0}, {3, 1, 9 * sec, 0}, {1, 1, 9 * sec, 0}}, 1, 1, 0},
		{"half of a gap comes late", 10, []step{{0, 10, 0, 0}, {30, 10, 1, 0}, {20, 10, 2, 0}}, 10, 1, 0},
		{"duplicate", 9, []step{{5, 1, 0, 0}, {6, 1, 0, 0}, {6, 1, 0, 0}, {7, 1, 0, 0}}, 0, 1, 0},
		{"wraps", 9, []step{{1<<32 - 1, 1, 0, 0}, {0, 1, 0, 0}, {2, 1, 0, 0}}, 1, 0, 0},
		{"restart of v9: the uptime falls", 9, []step{{500, 1, 0, 1 << 20}, {501, 1, 0, 1 << 20}, {0, 1, sec, 900},
			{1, 1, 2 * sec, 1900}}, 0, 0, 1},
		{"one datagram from another life of v9", 9, []step{{500, 1, 0, 1 << 20}, {0, 1, 1, 900}, {501, 1, 2, 1 << 20},
			{502, 1, 3, 1 << 20}}, 0, 0, 0},
		{"restart of IPFIX: only those below come", 10, []step{{5000, 10, 0, 0}, {5010, 10, 0, 0}, {0, 10, sec, 0},
			{10, 10, 2 * sec, 0}, {30, 10, 4 * sec, 0}, {40, 10, 5 * sec, 0}}, 10, 3, 1},
		{"two in a row twice", 10, []step{{0, 10, 0, 0}, {10, 10, 1, 0}, {20, 10, 2, 0}, {0, 10, 3, 0}, {10, 10, 4, 0},
			{30, 10, 5, 0}, {40, 10, 6, 0}}, 0, 2, 0},
		{"far jump is a restart", 10, []step{{10, 10, 0, 0}, {1 << 30, 1, 4 * sec, 0}, {1<<30 + 1, 1, 5 * sec, 0}}, 0, 2, 1},
		{"a stray from far away", 10, []step{{10, 10, 0, 0}, {1 << 30, 1, 1, 0}, {20, 1, 2, 0}}, 0, 1, 0},
	} {
		l, lates, restarts := lost(c.version, c.steps)
		if l != c.lost || lates != c.lates || restarts != c.restarts {
			t.Errorf("%s: lost %d late %d restarts %d, want %d %d %d", c.name, l, lates, restarts, c.lost, c.lates,
				c.restarts)
		}
	}
}

// datagram builds a NetFlow v9 datagram of the given sets.
func datagram(seq, domain uint32, sets ...[]byte) []byte {
	be := binary.BigEndian
	p := be.AppendUint16(nil, 9)
	p = be.AppendUint16(p, uint16(len(sets)))
	p = be.AppendUint32(p, 60_000)
	p = be.AppendUint32(p, 1_790_000_000)
	p = be.AppendUint32(p, seq)
	p = be.AppendUint32(p, domain)
	for _, s := range sets {
		p = append(p, s...)
	}
	return p
}

func set(id uint16, words ...uint16) []byte {
	p := binary.BigEndian.AppendUint16(nil, id)
	p = binary.BigEndian.AppendUint16(p, uint16(4+2*len(words)))
	for _, w := range words {
		p = binary.BigEndian.AppendUint16(p, w)
	}
	return p
}

var (
	templateSet = set(0, 256, 3, 8, 4, 12, 4, 1, 2)
	dataSet     = set(256, 0x0a00, 1, 0x0a00, 2, 77)
)

func TestDataWaitsForItsTemplate(t *testing.T) {
	d := NewDecoder(nil)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	n := 0
	emit := func(f *Flow) {
		n++
		if f.Exporter != a || f.Bytes != 77 || f.Dst != netip.MustParseAddr("10.0.0.2") {
			t.Errorf("%+v", f)
		}
	}
	if err := d.Decode(a, datagram(0, 1, dataSet), 1, emit); err != nil || d.Stats().Waiting != 1 {
		t.Errorf("data without a template: %v, %+v", err, d.Stats())
	}
	// Neither another exporter's template nor another domain's is taken for it.
	_ = d.Decode(b, datagram(0, 1, templateSet), 2, emit)
	_ = d.Decode(a, datagram(0, 2, templateSet), 2, emit)
	if n != 0 {
		t.Fatal("decoded with a template of somebody else")
	}
	_ = d.Decode(a, datagram(1, 1, templateSet), 3, emit)
	if n != 1 || d.Stats().Waiting != 0 {
		t.Errorf("%d flows after the template came, %+v", n, d.Stats())
	}
	_ = d.Decode(b, datagram(1, 9, dataSet), 4, emit)
	d.Tick(int64(time.Hour))
	if s := d.Stats(); s.Waiting != 0 || s.Failed[NoTemplate] != 1 {
		t.Errorf("what waited an hour: %+v", s)
	}
}

func TestLossIsReported(t *testing.T) {
	var got []Loss
	d := NewDecoder(func(l Loss) { got = append(got, l) })
	from := netip.MustParseAddr("192.0.2.1")
	for _, seq := range []uint32{1, 2, 7} {
		_ = d.Decode(from, datagram(seq, 3, templateSet), 1, func(*Flow) {})
	}
	d.Tick(int64(time.Minute))
	if len(got) != 1 || got[0] != (Loss{from, 3, 9, 4}) {
		t.Errorf("%+v", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(append(datagram(0, 1, templateSet), dataSet...))
	f.Add(datagram(0, 1, set(1, 257, 4, 8, 2, 4, 34, 4, 82, 8), set(257, 0, 1, 0, 100, 0x6574, 0x6830, 0, 0)))
	f.Add([]byte{0, 10, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2, 0, 12, 1, 0, 0, 1, 0, 82, 255, 255, 1, 0, 0, 9,
		4, 'l', 'a', 'n', '0'})
	f.Add(make([]byte, 72))
	f.Fuzz(func(t *testing.T, p []byte) {
		d := NewDecoder(nil)
		for i := range 3 { // templates of the first meet data of the next
			n := 0
			_ = d.Decode(netip.AddrFrom4([4]byte{192, 0, 2, 1}), p, int64(i), func(f *Flow) { n++ })
			if n > 2*(len(p)+maxWaiting) {
				t.Fatalf("%d flows out of %d bytes", n, len(p))
			}
		}
		d.Tick(1 << 62)
		if d.waiting != 0 || d.stats.Waiting != 0 {
			t.Fatalf("%d bytes wait for ever", d.waiting)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d := NewDecoder(nil)
	from := netip.MustParseAddr("192.0.2.1")
	_ = d.Decode(from, datagram(0, 1, templateSet), 1, func(*Flow) {})
	words := make([]uint16, 0, 150)
	for range 30 {
		words = append(words, 0x0a00, 1, 0x0a00, 2, 77)
	}
	p := datagram(0, 1, set(256, words...))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		_ = d.Decode(from, p, 1, func(*Flow) { n++ })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/flow")
}

// TestMillionTemplates holds that a million templates, of one exporter or of many, take a bounded memory, that those
// refused are counted, and that an exporter known before still decodes.
func TestMillionTemplates(t *testing.T) {
	d := NewDecoder(nil)
	honest := netip.MustParseAddr("192.0.2.1")
	flows := 0
	hear := func(p []byte) { _ = d.Decode(honest, p, 1, func(*Flow) { flows++ }) }
	hear(datagram(0, 1, templateSet))
	words := make([]uint16, 0, 600)
	sent := uint64(0)
	for i := range 25_000 { // 40 templates of 7 fields in each
		words = words[:0]
		for j := range 40 {
			words = append(words, uint16(256+(40*i+j)%65000), 6)
			for f := range 6 {
				words = append(words, uint16(1+f), 4)
			}
			sent++
		}
		from := netip.AddrFrom4([4]byte{10, byte(i >> 12), byte(i >> 4), byte(i % 3)})
		_ = d.Decode(from, datagram(uint32(i), uint32(i%80), set(0, words...)), 1, func(*Flow) {})
	}
	if d.memory > maxMemory || d.memory <= 0 || d.domains > maxAllDomain {
		t.Errorf("%d bytes, %d domains", d.memory, d.domains)
	}
	failed := d.stats.Failed[TooMany]
	if failed == 0 || d.stats.Templates+40*failed < sent {
		t.Errorf("of %d templates %d were taken, %d datagrams refused", sent, d.stats.Templates, failed)
	}
	hear(datagram(1, 1, templateSet, dataSet))
	if flows != 1 {
		t.Errorf("%d flows of an honest exporter", flows)
	}
	d.forget(int64(2 * time.Hour))
	if d.memory != 0 || d.domains != 0 || d.stats.Waiting != 0 {
		t.Errorf("forgotten: %d bytes, %d domains", d.memory, d.domains)
	}
}
