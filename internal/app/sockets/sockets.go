// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package sockets hands open listening sockets from one process to the next: systemd's socket activation protocol
// (sd_listen_fds(3)), spoken by both ends.
//
// A socket that outlives a process keeps what the kernel's buffers hold: a restart loses no datagram. A socket is found
// by its name, which Name makes of network and address, or else by the address it is bound to, so that sockets held by
// systemd need no special names. What is handed out is a duplicate; the original stays open for the next process.
package sockets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstFD is SD_LISTEN_FDS_START.
const firstFD = 3

// Address is a socket that a configuration asks for.
type Address struct {
	Network string // tcp or udp
	Address string // host:port
}

// Name is the name under which a socket is handed over: a colon would end it, so it is a hash.
func (a Address) Name() string {
	sum := sha256.Sum256([]byte(a.Network + " " + a.Address))
	return "haidang-" + hex.EncodeToString(sum[:6])
}

// Set is open sockets. One goroutine uses it at a time until the process that holds it ends.
type Set struct {
	names []string
	files []*os.File
}

// Inherited returns the sockets that the process was started with, none when it was started without. It takes the
// variables out of the environment, so that children do not inherit what is not theirs.
func Inherited() (*Set, error) {
	s := &Set{}
	pid, count, names := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	for _, v := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(v); err != nil {
			return nil, err
		}
	}
	if count == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return s, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1024 {
		return nil, fmt.Errorf("sockets: LISTEN_FDS is %q", count)
	}
	list := strings.Split(names, ":")
	for i := range n {
		name := ""
		if i < len(list) {
			name = list[i]
		}
		syscall.CloseOnExec(firstFD + i)
		s.names = append(s.names, name)
		s.files = append(s.files, os.NewFile(uintptr(firstFD+i), name))
	}
	return s, nil
}

// Open opens the sockets that the set lacks.
func (s *Set) Open(ctx context.Context, list ...Address) error {
	for _, a := range list {
		if s.find(a) != nil {
			continue
		}
		f, err := open(ctx, a)
		if err != nil {
			return fmt.Errorf("sockets: opening %s %s: %w", a.Network, a.Address, err)
		}
		s.names = append(s.names, a.Name())
		s.files = append(s.files, f)
	}
	return nil
}

func open(ctx context.Context, a Address) (*os.File, error) {
	var lc net.ListenConfig
	if a.Network == "udp" {
		p, err := lc.ListenPacket(ctx, "udp", a.Address)
		if err != nil {
			return nil, err
		}
		defer p.Close()
		return p.(*net.UDPConn).File()
	}
	l, err := lc.Listen(ctx, "tcp", a.Address)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return l.(*net.TCPListener).File()
}

// find returns the socket for an address, nil when there is none.
func (s *Set) find(a Address) *os.File {
	name := a.Name()
	for i, n := range s.names {
		if n == name {
			return s.files[i]
		}
	}
	for _, f := range s.files {
		if bound(f, a) {
			return f
		}
	}
	return nil
}

// bound reports whether a socket is bound to the address that is asked for.
func bound(f *os.File, a Address) bool {
	var at net.Addr
	if a.Network == "udp" {
		want, err := net.ResolveUDPAddr("udp", a.Address)
		p, e := net.FilePacketConn(f)
		if err != nil || e != nil {
			return false
		}
		at = p.LocalAddr()
		_ = p.Close()
		got, ok := at.(*net.UDPAddr)
		return ok && got.Port == want.Port && sameHost(got.IP, want.IP)
	}
	want, err := net.ResolveTCPAddr("tcp", a.Address)
	l, e := net.FileListener(f)
	if err != nil || e != nil {
		return false
	}
	at = l.Addr()
	_ = l.Close()
	got, ok := at.(*net.TCPAddr)
	return ok && got.Port == want.Port && sameHost(got.IP, want.IP)
}

func sameHost(got, want net.IP) bool {
	if len(want) == 0 || want.IsUnspecified() {
		return got.IsUnspecified()
	}
	return got.Equal(want)
}

// Listen is the ListenFunc of the set: a duplicate of the socket, or nothing when the set has none for the address.
func (s *Set) Listen(_ context.Context, network, address string) (net.Listener, net.PacketConn, error) {
	f := s.find(Address{network, address})
	if f == nil {
		return nil, nil, nil
	}
	if network == "udp" {
		p, err := net.FilePacketConn(f)
		return nil, p, err
	}
	l, err := net.FileListener(f)
	return l, nil, err
}

// Child returns what a child process must be started with: its extra files, from descriptor 3 on, and the variables
// of its environment.
func (s *Set) Child() (files []*os.File, env []string) {
	return s.files, []string{"LISTEN_FDS=" + strconv.Itoa(len(s.files)),
		"LISTEN_FDNAMES=" + strings.Join(s.names, ":")}
}

// Len returns the number of sockets.
func (s *Set) Len() int { return len(s.files) }

// Close closes the set's own descriptors.
func (s *Set) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	s.files, s.names = nil, nil
	return errors.Join(errs...)
}
