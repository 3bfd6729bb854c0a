// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func listen(t *testing.T, c UDPConfig) []*UDP {
	t.Helper()
	list, err := ListenUDP(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, u := range list {
			_ = u.Close()
		}
	})
	return list
}

func dial(t *testing.T, a net.Addr) *net.UDPConn {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, a.(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestUDPAll: datagrams come whole, in order, with their sender, and what the kernel holds at the stop comes too.
func TestUDPAll(t *testing.T) {
	u := listen(t, UDPConfig{Address: "127.0.0.1:0", Longest: 100})[0]
	peer := dial(t, u.Addr())
	const sent = 200
	for i := range sent {
		data := fmt.Sprintf("datagram %d", i)
		if i%10 == 9 {
			data += strings.Repeat("x", 200)
		}
		if _, err := peer.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	u.Stop() // nothing was read yet
	before, n := time.Now().Add(-time.Minute).UnixNano(), 0
	for list, err := range u.All() {
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			want := fmt.Sprintf("datagram %d", n)
			if cut := n%10 == 9; d.Cut != cut || !strings.HasPrefix(string(d.Data), want) || cut && len(d.Data) != 100 {
				t.Errorf("datagram %d came as %q, cut %v", n, d.Data, d.Cut)
			}
			if d.From != peer.LocalAddr().(*net.UDPAddr).AddrPort() || d.At < before {
				t.Errorf("datagram %d came from %v at %d", n, d.From, d.At)
			}
			n++
		}
	}
	if n != sent {
		t.Errorf("%d of %d datagrams came", n, sent)
	}
}

// TestUDPDualStack: a socket for every address shows IPv4 senders as IPv4.
func TestUDPDualStack(t *testing.T) {
	u := listen(t, UDPConfig{Address: ":0"})[0]
	port := u.Addr().(*net.UDPAddr).Port
	if _, err := dial(t, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for list, err := range u.All() {
		if err != nil || list[0].From.Addr() != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("from %v, error %v", list[0].From, err)
		}
		break
	}
}

func TestUDPReusePort(t *testing.T) {
	list := listen(t, UDPConfig{Address: "127.0.0.1:0", Sockets: 3})
	if len(list) != 3 || list[0].Addr().String() != list[2].Addr().String() {
		t.Errorf("%d sockets on %v and %v, want three on one address", len(list), list[0].Addr(), list[len(list)-1].Addr())
	}
}

func TestListenErrors(t *testing.T) {
	u := listen(t, UDPConfig{Address: "127.0.0.1:0"})[0]
	_, err := ListenUDP(t.Context(), UDPConfig{Address: u.Addr().String()})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), u.Addr().String()) ||
		!strings.Contains(err.Error(), "another program") {
		t.Errorf("a port in use: %v", err)
	}
	wrong := errors.New("no such socket")
	refuse := func(context.Context, string, string) (net.Listener, net.PacketConn, error) { return nil, nil, wrong }
	if _, err := ListenUDP(t.Context(), UDPConfig{Address: ":514", Listen: refuse}); !errors.Is(err, wrong) {
		t.Errorf("a parent's refusal of UDP: %v", err)
	}
	if _, err := ListenTCP(t.Context(), ":514", refuse); !errors.Is(err, wrong) {
		t.Errorf("a parent's refusal of TCP: %v", err)
	}
	none := func(context.Context, string, string) (net.Listener, net.PacketConn, error) { return nil, nil, nil }
	l, err := ListenTCP(t.Context(), "127.0.0.1:0", none)
	if err != nil {
		t.Fatalf("no socket of a parent: %v", err)
	}
	_ = l.Close()
}

func TestState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.epoch")
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	s, err := NextState(file, now)
	if err != nil || s.Epoch() != uint64(now.Unix()) {
		t.Fatalf("the first epoch is %v, %v; want the time, %d", s.Epoch(), err, now.Unix())
	}
	s.drops[7] = 3
	if err := s.store(); err != nil {
		t.Fatal(err)
	}
	// The counter goes on by one, whatever the clock says.
	s, err = NextState(file, now.Add(-time.Hour))
	if err != nil || s.Epoch() != uint64(now.Unix())+1 || s.drops[7] != 3 {
		t.Errorf("the second epoch is %d with drops %v, %v", s.Epoch(), s.drops, err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("the directory holds %v (%v), want the one file", left, err)
	}
	for _, broken := range []string{"", "epoch x\n", "drops 1 2\n", "epoch 7\nwhat\n"} {
		if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NextState(file, now); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("the file %q: error %v, want one that names the file", broken, err)
		}
	}
	if _, err := NextState(filepath.Join(file, "no directory"), now); err == nil {
		t.Error("no directory, and no error")
	}
}
