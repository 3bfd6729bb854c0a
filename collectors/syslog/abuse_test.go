// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/collectors/socket"
	"github.com/haidang-soc/haidang/internal/event"
)

// TestIdleConnectionsHarmNobody: 500 idle connections, half of them within a message, and one client that is slow.
func TestIdleConnectionsHarmNobody(t *testing.T) {
	out := &memory{}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}}, out)
	for i := range 500 {
		conn := dial(t, c.Addrs()[0])
		if i%2 == 0 {
			send(t, conn, "<13>the beginning of")
		}
	}
	slow := dial(t, c.Addrs()[0])
	send(t, slow, "9")
	good := dial(t, c.Addrs()[0])
	for i := range 1000 {
		send(t, good, fmt.Sprintf("<13>good %d\n", i))
	}
	out.wait(t, "the good client's messages", func() bool { return len(out.originals()) == 1000 })
	send(t, slow, " <13>")
	send(t, slow, "slow1")
	out.wait(t, "the slow client's message", func() bool { return len(out.originals()) == 1001 })
	if n := c.Stats().Connections; n != 502 {
		t.Errorf("%d connections are open, want 502", n)
	}
	if err := c.stop(); err != nil {
		t.Error(err)
	}
	// What had begun is there, marked.
	raw, _ := out.events()
	cut := 0
	for _, e := range raw {
		if v, ok := e.Get(event.HaidangTruncated); ok && v.Bool() {
			cut++
		}
	}
	if cut != 250 || len(raw) != 1251 {
		t.Errorf("%d messages, %d of them cut; want 1251 and 250", len(raw), cut)
	}
	contiguous(t, out.batches)
}

// TestConnectionLimit: when all connections are in use, the oldest idle ones of the busiest address make room.
func TestConnectionLimit(t *testing.T) {
	out := &memory{}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}, MaxConnections: 20}, out)
	first := dial(t, c.Addrs()[0])
	send(t, first, "<13>first\n")
	out.wait(t, "the first message", func() bool { return len(out.originals()) == 1 })
	for i := range 100 {
		conn := dial(t, c.Addrs()[0])
		send(t, conn, fmt.Sprintf("<13>%d\n", i))
		out.wait(t, "the message of a new connection", func() bool { return len(out.originals()) == i+2 })
	}
	if s := c.Stats(); s.Connections > 20 || s.Evicted < 81 || s.Opened != 101 {
		t.Errorf("%+v", s)
	}
	_ = first.SetReadDeadline(time.Now().Add(hang))
	if _, err := first.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the oldest idle connection is still open (%v)", err)
	}
}

// TestFloodOfConnections: idle connections without end, from the address of a client that speaks seldom, do not cost
// that client its connection.
func TestFloodOfConnections(t *testing.T) {
	out := &memory{}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}, MaxConnections: 20}, out)
	good := dial(t, c.Addrs()[0])
	send(t, good, "<13>before\n")
	out.wait(t, "the first message", func() bool { return len(out.originals()) == 1 })
	for i := range 200 {
		dial(t, c.Addrs()[0])
		poll(t, "the connection", func() bool { return c.Stats().Opened == uint64(i+2) })
	}
	send(t, good, "<13>after\n")
	out.wait(t, "the second message", func() bool { return len(out.originals()) == 2 })
	if s := c.Stats(); s.Connections > 20 || s.Evicted < 181 || s.Refused != 0 {
		t.Errorf("%+v", s)
	}
}

func TestIdleTime(t *testing.T) {
	out := &memory{}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}, Idle: 20 * time.Millisecond}, out)
	conn := dial(t, c.Addrs()[0])
	send(t, conn, "<13>a\n<13>b")
	out.wait(t, "both messages", func() bool { return len(out.originals()) == 2 })
	_ = conn.SetReadDeadline(time.Now().Add(hang))
	if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the idle connection is still open (%v)", err)
	}
}

// TestResetIsReported: what a broken connection had under way is not known, but that it broke is told.
func TestResetIsReported(t *testing.T) {
	out := &memory{}
	c := start(t, Config{TCP: []string{"127.0.0.1:0"}}, out)
	conn := dial(t, c.Addrs()[0])
	send(t, conn, "<13>a\n<13>half")
	out.wait(t, "the message", func() bool { return len(out.originals()) == 1 })
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
	out.wait(t, "the report", func() bool { _, reports := out.events(); return len(reports) == 1 })
	_, reports := out.events()
	if v, _ := reports[0].Get(event.HaidangDropReason); v.Str() != "reset" {
		t.Errorf("the report's reason is %q", v.Str())
	}
	if v, _ := reports[0].Get(event.EventKind); v.Str() != "pipeline_error" {
		t.Errorf("the report's kind is %q", v.Str())
	}
	out.wait(t, "the half message", func() bool { return len(out.originals()) == 2 })
}

// handOver makes a ListenFunc of the sockets that a parent process holds: each call hands over a copy.
func handOver(udp *net.UDPConn, tcp *net.TCPListener) socket.ListenFunc {
	return func(_ context.Context, network, _ string) (net.Listener, net.PacketConn, error) {
		var file *os.File
		var err error
		switch {
		case network == "udp" && udp != nil:
			file, err = udp.File()
		case network == "tcp" && tcp != nil:
			file, err = tcp.File()
		default:
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = file.Close() }()
		if network == "udp" {
			p, err := net.FilePacketConn(file)
			return nil, p, err
		}
		l, err := net.FileListener(file)
		return l, nil, err
	}
}

// TestKernelDropsAreReported: a burst that the kernel cannot hold, at the end of which nothing comes, is told once,
// also where the socket is a parent's and the run that reads it is the second.
func TestKernelDropsAreReported(t *testing.T) {
	parent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = parent.Close() }()
	peer := dial(t, parent.LocalAddr())
	dir := t.TempDir()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux counts what it drops")
	}
	const sent = 500
	for run := range 2 {
		if err := parent.SetReadBuffer(1); err != nil { // the kernel's least
			t.Fatal(err)
		}
		for range sent { // while nobody reads
			send(t, peer, "<13>"+strings.Repeat("k", 500))
		}
		out := &memory{}
		c := start(t, Config{UDP: []string{"127.0.0.1:0"}, ReceiveBuffer: 1 << 20, Listen: handOver(parent, nil),
			StateDir: dir}, out)
		out.wait(t, "the report", func() bool { _, reports := out.events(); return len(reports) > 0 })
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		_, reports := out.events()
		told := uint64(0)
		for _, e := range reports {
			n, _ := e.Get(event.HaidangDropCount)
			told += uint64(n.Int())
		}
		got := uint64(len(out.originals()))
		if told == 0 || got+told != sent || told != c.Stats().Dropped[dropKernel] {
			t.Errorf("run %d: %d came and %d are told lost of %d sent; counter %v", run, got, told, sent,
				c.Stats().Dropped)
		}
	}
}

// TestHandedOverSockets: what comes between two runs is not lost when a parent holds the sockets.
func TestHandedOverSockets(t *testing.T) {
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = udp.Close() }()
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }()
	dir, out := t.TempDir(), &memory{}
	cfg := Config{UDP: []string{":514"}, TCP: []string{":514"}, Listen: handOver(udp, tcp), StateDir: dir}
	for i := range 3 {
		send(t, dial(t, udp.LocalAddr()), "<13>udp")
		conn := dial(t, tcp.Addr())
		send(t, conn, "<13>tcp\n")
		_ = conn.Close()
		c := start(t, cfg, out)
		out.wait(t, "both messages", func() bool { return len(out.originals()) == 2*i+2 })
		if err := c.stop(); err != nil {
			t.Error(err)
		}
	}
	contiguous(t, out.batches)
}
