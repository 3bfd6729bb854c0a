// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package socket opens and reads the sockets of collectors: datagrams many at a time, with their time and sender, the
// kernel's count of those it dropped, and the bind counter that is the epoch of a listener's batches.
//
// A socket may be a parent process's that outlives this one: a reader stops without losing what the kernel holds, and
// the drops of such a socket are counted on from where an earlier run was.
package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
)

// ListenFunc hands over a socket that a parent process has opened: a net.PacketConn for network "udp", a net.Listener
// for "tcp". Neither and no error means that there is none for this address, and the collector opens its own. The
// collector closes what it is given.
type ListenFunc = func(ctx context.Context, network, address string) (net.Listener, net.PacketConn, error)

// UDPConfig says what to listen on for datagrams.
type UDPConfig struct {
	Address string     // host:port; an empty host is every address, IPv4 and IPv6
	Sockets int        // how many share the address by SO_REUSEPORT; 0 and 1 mean one without it
	Buffer  int        // bytes of the kernel's buffer; 0 leaves the kernel's default
	Longest int        // bytes of the longest datagram that is read whole; 0 means 65,535
	Listen  ListenFunc // nil opens
}

// ListenUDP opens the sockets of an address, all or none.
func ListenUDP(ctx context.Context, c UDPConfig) (list []*UDP, err error) {
	defer func() {
		if err != nil {
			for _, u := range list {
				_ = u.Close()
			}
			list, err = nil, opening("udp", c.Address, err)
		}
	}()
	for range max(c.Sockets, 1) {
		conn, handed, err := packets(ctx, c)
		if err != nil {
			return list, err
		}
		u, err := newUDP(conn, c)
		if err != nil {
			return list, errors.Join(err, conn.Close())
		}
		if handed {
			u.cookie = cookie(u.raw)
		}
		list = append(list, u)
		c.Address = conn.LocalAddr().String() // the others of port 0 share the first one's
	}
	return list, nil
}

// ListenTCP opens a listener for streams, or takes the one that is handed over.
func ListenTCP(ctx context.Context, address string, listen ListenFunc) (net.Listener, error) {
	if listen != nil {
		l, p, err := listen(ctx, "tcp", address)
		switch {
		case err != nil:
			return nil, opening("tcp", address, err)
		case l != nil:
			return l, nil
		case p != nil:
			return nil, opening("tcp", address, errors.Join(errors.New("what was handed over is no listener"), p.Close()))
		}
	}
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, opening("tcp", address, err)
	}
	return l, nil
}

// opening says what could not be opened and, where it is known, the cure.
func opening(network, address string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrPermission):
		hint = "; a port below 1024 needs CAP_NET_BIND_SERVICE, or a socket from systemd"
	case errors.Is(err, syscall.EADDRINUSE):
		hint = "; another program listens there, see: ss -lunpt"
	}
	return fmt.Errorf("opening %s %s: %w%s", network, address, err, hint)
}

// packets returns a UDP socket: the one that was handed over, or a new one.
func packets(ctx context.Context, c UDPConfig) (conn *net.UDPConn, handed bool, err error) {
	if c.Listen != nil {
		l, p, err := c.Listen(ctx, "udp", c.Address)
		switch conn, ok := p.(*net.UDPConn); {
		case err != nil:
			return nil, false, err
		case ok:
			return conn, true, nil
		case p != nil || l != nil:
			return nil, false, errors.New("what was handed over is no UDP socket")
		}
	}
	lc := net.ListenConfig{}
	if c.Sockets > 1 {
		lc.Control = reusePort
	}
	p, err := lc.ListenPacket(ctx, "udp", c.Address)
	if err != nil {
		return nil, false, err
	}
	return p.(*net.UDPConn), false, nil
}
