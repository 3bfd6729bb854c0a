// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package netflow

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/haidang-soc/haidang/collectors/netflow/flow"
)

// v9 is a NetFlow v9 datagram of the given sets.
func v9(seq uint32, sets ...[]byte) []byte {
	be := binary.BigEndian
	p := be.AppendUint16(nil, 9)
	p = be.AppendUint16(p, uint16(len(sets)))
	for _, n := range []uint32{60_000, 1_790_000_000, seq, 1} {
		p = be.AppendUint32(p, n)
	}
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

// The same two fields, bytes and packets, in two orders.
func template(id uint16, swapped bool) []byte {
	if swapped {
		return set(0, id, 2, 2, 4, 1, 4)
	}
	return set(0, id, 2, 1, 4, 2, 4)
}

func data(id uint16, swapped bool, bytes uint32) []byte {
	if hi, lo := uint16(bytes>>16), uint16(bytes); !swapped {
		return set(id, hi, lo, 0, 7)
	} else {
		return set(id, 0, 7, hi, lo)
	}
}

// TestTemplatesOverRestart decodes after a restart with the template of the run before, and waits for another one where
// the file is damaged.
func TestTemplatesOverRestart(t *testing.T) {
	dir := t.TempDir()
	run := func(send func(conn net.Conn), ok func(c *Collector, out *memory) bool) {
		t.Helper()
		c, out := newCollector(t, dir), &memory{}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx, out) }()
		eventually(t, "the socket", func() bool { return c.Addrs() != nil })
		conn := dial(t, c)
		send(conn)
		eventually(t, "the end", func() bool { return ok(c, out) })
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.Unsaved > 0 {
			t.Errorf("%+v", s)
		}
	}
	datagram := func(sets ...[]byte) func(net.Conn) {
		return func(conn net.Conn) {
			if _, err := conn.Write(v9(1, sets...)); err != nil {
				t.Fatal(err)
			}
		}
	}
	waits := func(c *Collector, _ *memory) bool { return c.Stats().Waiting == 1 }
	decoded := func(bytes string) func(*Collector, *memory) bool {
		return func(_ *Collector, out *memory) bool { return out.find(`"source":{"bytes":`+bytes) != "" }
	}
	run(datagram(template(256, true)), func(c *Collector, _ *memory) bool { return c.Stats().Templates == 1 })
	run(datagram(data(256, true, 1001)), decoded("1001"))
	if runtime.GOOS == "linux" { // elsewhere nothing waits over a restart
		run(datagram(data(257, true, 1002)), waits)
		run(datagram(template(257, true)), decoded("1002"))
	}
	file := filepath.Join(dir, "nf.templates")
	p, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p[len(p)/2] ^= 1
	if err := os.WriteFile(file, p, 0o600); err != nil {
		t.Fatal(err)
	}
	run(datagram(data(256, true, 1003)), waits)
}

func FuzzState(f *testing.F) {
	d := flow.NewDecoder(nil)
	_ = d.Decode(netip.MustParseAddr("192.0.2.1"), v9(0, template(256, false), data(257, false, 1)), 1,
		func(*flow.Flow) {})
	f.Add(encodeState(position{3, 4}, d))
	f.Add([]byte(stateMagic))
	f.Fuzz(func(t *testing.T, p []byte) {
		if s, err := parseState(p); err == nil && len(s.state)+stateHead != len(p) {
			t.Fatalf("%d bytes of state out of %d", len(s.state), len(p))
		}
	})
}
