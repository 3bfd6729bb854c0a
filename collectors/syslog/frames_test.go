// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// cutAll cuts a stream that arrives in steps of the given size. It gives up where the framer needs more bytes at once
// than it says.
func cutAll(t testing.TB, data []byte, limit, step int) (lines []string, cuts int) {
	f := framer{max: limit}
	var buf []byte
	for first := true; first || len(data) > 0; first = false {
		n := min(step, len(data))
		buf = append(buf, data[:n]...)
		data = data[n:]
		for {
			line, cut, n := f.next(buf)
			if n < 0 || n > len(buf) || len(line) > limit {
				t.Fatalf("next(%q) = %q, %v, %d", buf, line, cut, n)
			}
			if n == 0 {
				break
			}
			if line != nil {
				lines = append(lines, string(line))
			}
			if cut {
				cuts++
			}
			buf = buf[n:]
		}
		if len(buf) > f.room() {
			t.Fatalf("the framer waits with %d bytes, more than its room of %d", len(buf), f.room())
		}
	}
	if len(buf) > 0 {
		if rest := f.giveUp(buf); len(rest) > 0 {
			lines = append(lines, string(rest))
		}
	}
	return lines, cuts
}

func framingSeeds() [][]byte {
	var seeds [][]byte
	for _, s := range []string{
		"<13>a\n<13>tiếng Việt\r\n\n<13>c\n",
		"<13>a\n<13>tie\u0302\u0301ng Vie\u0323\u0302t",
		"5 <13>a7 <13>b\nc5 <13>d",
		"5 <13>a\n5 <13>b\n",
		"5 <13>a9 <13>b",
		"2026-11-24T10:00:00Z a\n1 b\n",
		"5 <13>a<13>b\n<13>c\n",
		"999999999999 <13>a\n<13>b\n",
		"0 <13>a\n", "1", "12 ", "12 <", "\n\n\r\n", "\x00<13>a\x00",
		"5 <13>a0 5 <13>b",
		fmt.Sprintf("3000 <13>%s5 <13>b", strings.Repeat("x", 2996)),
		"<13>" + strings.Repeat("x", 3000) + "\n<13>b\n",
	} {
		seeds = append(seeds, []byte(s))
	}
	return seeds
}

// FuzzFraming: the messages of a stream do not depend on how the network cuts it, are bounded, and are all there.
func FuzzFraming(f *testing.F) {
	for _, seed := range framingSeeds() {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		const limit = 256
		if len(data) > 1<<16 {
			return
		}
		whole, cuts := cutAll(t, data, limit, max(len(data), 1))
		for _, s := range []int{1, min(max(step, 1), 4096)} {
			if got, n := cutAll(t, data, limit, s); !slices.Equal(got, whole) || n != cuts {
				t.Fatalf("in steps of %d: %q with %d cut; at once: %q with %d", s, got, n, whole, cuts)
			}
		}
		if !bytes.Equal(bytes.Trim(data, "\n\r\x00 0123456789"), nil) && len(whole) == 0 {
			t.Fatalf("nothing came of %q", data)
		}
	})
}

func BenchmarkFraming(b *testing.B) {
	line := "<86>Nov 24 10:00:00 web1 sshd[4321]: Failed password for invalid user admin from 203.0.113.9 port 22 ssh2"
	for name, frame := range map[string]string{"octets": fmt.Sprintf("%d %s", len(line), line), "lines": line + "\n"} {
		b.Run(name, func(b *testing.B) {
			buf := []byte(strings.Repeat(frame, 64<<10/len(frame)))
			b.ReportAllocs()
			f := framer{max: 64 << 10}
			data := buf
			for b.Loop() {
				_, _, n := f.next(data)
				if data = data[n:]; n == 0 || len(data) == 0 {
					data = buf
				}
			}
		})
	}
}

// BenchmarkGather is what a framed message costs until its batch is made, the socket and the Writer apart.
func BenchmarkGather(b *testing.B) {
	c, err := New(Config{Name: "bench", Site: "dc1", UDP: []string{":0"}, StateDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	g := newGather(&c.cfg, &c.n, 1)
	m := message{raw: []byte("<86>Nov 24 10:00:00 web1 sshd[4321]: Failed password for invalid user admin from 203.0.113.9"),
		at: 1795489200000000000}
	b.ReportAllocs()
	for b.Loop() {
		raw := m.raw
		g.put(&m)
		m.raw = raw
		for len(g.sealed) > 0 {
			g.done()
		}
	}
}

// nothing is a Writer that only counts.
type nothing struct {
	n    int
	want int
	done chan struct{}
}

func (w *nothing) Write(_ context.Context, b *event.Batch) error {
	if w.n += b.Len(); w.n == w.want {
		close(w.done)
	}
	return nil
}

// BenchmarkTCP is a message from a client in this process to the Writer: both ends of the socket, framing and batch.
func BenchmarkTCP(b *testing.B) {
	line := "<86>Nov 24 10:00:00 web1 sshd[4321]: Failed password for invalid user admin from 203.0.113.9 port 22 ssh2"
	frame := fmt.Sprintf("%d %s", len(line), line)
	const chunk = 500
	data := []byte(strings.Repeat(frame, chunk))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c, err := New(Config{Name: "bench", TCP: []string{"127.0.0.1:0"}, StateDir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		const total = 200 * chunk
		out := &nothing{want: total, done: make(chan struct{})}
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, out) }()
		for c.Addrs() == nil {
			runtime.Gosched()
		}
		conn, err := net.Dial("tcp", c.Addrs()[0].String())
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for range total / chunk {
			if _, err := conn.Write(data); err != nil {
				b.Fatal(err)
			}
		}
		<-out.done
		b.StopTimer()
		_ = conn.Close()
		cancel()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(200*chunk), "ns/message")
}
