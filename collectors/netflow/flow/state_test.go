// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"net/netip"
	"slices"
	"testing"
)

var (
	exporterA = netip.MustParseAddr("192.0.2.1")
	exporterB = netip.MustParseAddr("2001:db8::7")
	// options of the whole exporter: a sampling rate, and the name of an interface
	optionsSets = [][]byte{set(1, 257, 4, 12, 2, 4, 34, 4, 10, 2, 82, 8), set(257, 0, 1, 0, 100, 7, 0x6574, 0x6830, 0, 0)}
)

// known is a decoder that knows a template, options, and has data that waits.
func known() *Decoder {
	d := NewDecoder(nil)
	nothing := func(*Flow) {}
	_ = d.Decode(exporterA, datagram(0, 1, templateSet), 1, nothing)
	_ = d.Decode(exporterA, datagram(1, 1, optionsSets...), 1, nothing)
	_ = d.Decode(exporterB, datagram(0, 2, dataSet, dataSet), 1, nothing)
	return d
}

func TestState(t *testing.T) {
	before := known()
	state := before.AppendState([]byte("x"))[1:]
	for _, waiting := range []bool{true, false} {
		d := NewDecoder(nil)
		if err := d.Restore(state, 5, waiting); err != nil {
			t.Fatal(err)
		}
		if waiting && (d.memory != before.memory || d.waiting != before.waiting) {
			t.Errorf("%d and %d bytes, want %d and %d", d.memory, d.waiting, before.memory, before.waiting)
		}
		var got []Flow
		emit := func(f *Flow) { got = append(got, *f) }
		_ = d.Decode(exporterA, datagram(5, 1, dataSet), 6, emit)
		if len(got) != 1 || got[0].Bytes != 77 || got[0].Sampling != 100 {
			t.Fatalf("%+v", got)
		}
		_ = d.Decode(exporterB, datagram(5, 2, templateSet), 6, emit)
		if want := map[bool]int{true: 3, false: 1}[waiting]; len(got) != want || d.Stats().Waiting != 0 {
			t.Errorf("with what waits %v: %d flows, want %d", waiting, len(got), want)
		}
	}
}

// TestStateChanges holds that whatever changes the state is told, and that what comes again is no change.
func TestStateChanges(t *testing.T) {
	d := known()
	size := func() int { return len(d.AppendState(nil)) }
	nothing := func(*Flow) {}
	other := set(0, 256, 2, 8, 4, 1, 2)
	for _, c := range []struct {
		name   string
		p      []byte
		change bool
	}{
		{"the same template", datagram(2, 1, templateSet), false},
		{"the same options", datagram(3, 1, optionsSets...), false},
		{"data", datagram(4, 1, dataSet), false},
		{"another rate", datagram(5, 1, set(257, 0, 1, 0, 99, 7, 0x6574, 0x6830, 0, 0)), true},
		{"another name", datagram(6, 1, set(257, 0, 1, 0, 99, 7, 0x6574, 0x6831, 0, 0)), true},
		{"data without template", datagram(7, 1, set(300, 1, 2)), true},
		{"another template of the id", datagram(8, 1, other), true},
		{"that again", datagram(9, 1, other), false},
		{"a withdrawal", datagram(10, 1, set(0, 256, 0)), true},
		{"a second withdrawal", datagram(11, 1, set(0, 256, 0)), false},
	} {
		n, before := d.Changes(), size()
		_ = d.Decode(exporterA, c.p, 1, nothing)
		if told := d.Changes() != n; told != c.change {
			t.Errorf("%s: told %v, want %v (%d bytes, then %d)", c.name, told, c.change, before, size())
		}
	}
	n := d.Changes()
	d.Tick(int64(2 * waitFor))
	if d.Changes() == n || d.Stats().Waiting != 0 {
		t.Error("what waited too long is no change")
	}
}

func TestStateDamaged(t *testing.T) {
	state := known().AppendState(nil)
	for n := range len(state) {
		if NewDecoder(nil).Restore(state[:n], 1, true) == nil {
			t.Errorf("cut at %d: no error", n)
		}
	}
	if NewDecoder(nil).Restore(append(slices.Clone(state), 0), 1, true) == nil {
		t.Error("a byte too many: no error")
	}
	if err := NewDecoder(nil).Restore(NewDecoder(nil).AppendState(nil), 1, true); err != nil {
		t.Error(err)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add(known().AppendState(nil))
	f.Add(NewDecoder(nil).AppendState(nil))
	f.Fuzz(func(t *testing.T, p []byte) {
		d := NewDecoder(nil)
		if err := d.Restore(p, 1, true); err == nil {
			again := NewDecoder(nil)
			if err := again.Restore(d.AppendState(nil), 1, true); err != nil || again.memory != d.memory ||
				again.waiting != d.waiting {
				t.Fatalf("%v: %d and %d bytes, then %d and %d", err, d.memory, d.waiting, again.memory, again.waiting)
			}
		}
		if d.memory > maxMemory || d.waiting > maxWaitAll || d.memory < 0 {
			t.Fatalf("%d and %d bytes", d.memory, d.waiting)
		}
		_ = d.Decode(exporterA, datagram(5, 1, dataSet, templateSet), 6, func(*Flow) {})
		d.Tick(1 << 62)
		if d.waiting != 0 || d.stats.Waiting != 0 {
			t.Fatalf("%d bytes wait for ever", d.waiting)
		}
	})
}
