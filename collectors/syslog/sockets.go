// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
)

// sockets are the open sockets of a run.
type sockets struct {
	udp      []*udpSocket
	tcp, tls []net.Listener
}

// open opens every socket of the configuration, or none.
func (c *Collector) open(ctx context.Context) (*sockets, error) {
	s := &sockets{}
	fail := func(network, address string, err error) (*sockets, error) {
		s.close()
		hint := ""
		if errors.Is(err, fs.ErrPermission) {
			hint = "; a port below 1024 needs CAP_NET_BIND_SERVICE, or systemd's socket"
		}
		return nil, fmt.Errorf("syslog: listener %s: opening %s %s: %w%s", c.cfg.Name, network, address, err, hint)
	}
	for _, address := range c.cfg.UDP {
		for i := range c.cfg.UDPSockets {
			conn, handed, err := c.packets(ctx, address)
			if err != nil {
				return fail("udp", address, err)
			}
			udp, err := newUDPSocket(conn, &c.cfg)
			if err != nil {
				return fail("udp", address, errors.Join(err, conn.Close()))
			}
			if handed {
				udp.cookie = cookie(udp.raw)
			}
			s.udp = append(s.udp, udp)
			if i == 0 {
				address = conn.LocalAddr().String() // the others of :0 share the first one's port
			}
		}
	}
	for _, kind := range []struct {
		addresses []string
		list      *[]net.Listener
	}{{c.cfg.TCP, &s.tcp}, {c.cfg.TLS, &s.tls}} {
		for _, address := range kind.addresses {
			l, err := c.streams(ctx, address)
			if err != nil {
				return fail("tcp", address, err)
			}
			*kind.list = append(*kind.list, l)
		}
	}
	return s, nil
}

// packets returns a UDP socket: the one that was handed over, or a new one.
func (c *Collector) packets(ctx context.Context, address string) (conn *net.UDPConn, handed bool, err error) {
	if c.cfg.Listen != nil {
		l, p, err := c.cfg.Listen(ctx, "udp", address)
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
	if c.cfg.UDPSockets > 1 {
		lc.Control = reusePort
	}
	p, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, false, err
	}
	return p.(*net.UDPConn), false, nil
}

// resume sets from where the kernel's drops are counted: what an earlier run reported of a socket that was handed over
// is not told again, what was dropped while no run had it is.
func (s *sockets) resume(st *state) {
	reported := st.drops
	st.drops = map[uint64]uint32{}
	for _, u := range s.udp {
		if n, ok := reported[u.cookie]; ok && u.cookie != 0 {
			u.baseline = n
			st.drops[u.cookie] = n
		}
	}
}

// streams returns a TCP listener: the one that was handed over, or a new one.
func (c *Collector) streams(ctx context.Context, address string) (net.Listener, error) {
	if c.cfg.Listen != nil {
		l, p, err := c.cfg.Listen(ctx, "tcp", address)
		switch {
		case err != nil:
			return nil, err
		case l != nil:
			return l, nil
		case p != nil:
			return nil, errors.New("what was handed over is no TCP listener")
		}
	}
	lc := net.ListenConfig{}
	return lc.Listen(ctx, "tcp", address)
}

func (s *sockets) addrs() []net.Addr {
	var list []net.Addr
	for _, u := range s.udp {
		list = append(list, u.conn.LocalAddr())
	}
	for _, l := range append(append([]net.Listener{}, s.tcp...), s.tls...) {
		list = append(list, l.Addr())
	}
	return list
}

// stop ends the accepting and makes the readers of datagrams take what the kernel holds and return.
func (s *sockets) stop() {
	for _, l := range append(append([]net.Listener{}, s.tcp...), s.tls...) {
		_ = l.Close()
	}
	for _, u := range s.udp {
		u.stop()
	}
}

func (s *sockets) close() {
	for _, l := range append(append([]net.Listener{}, s.tcp...), s.tls...) {
		_ = l.Close()
	}
	for _, u := range s.udp {
		_ = u.conn.Close()
	}
}
