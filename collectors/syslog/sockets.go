// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/haidang-soc/haidang/collectors/socket"
)

// sockets are the open sockets of a run.
type sockets struct {
	udp      []*socket.UDP
	tcp, tls []net.Listener
}

// open opens every socket of the configuration, or none.
func (c *Collector) open(ctx context.Context) (*sockets, error) {
	s := &sockets{}
	fail := func(err error) (*sockets, error) {
		s.close()
		return nil, fmt.Errorf("syslog: listener %s: %w", c.cfg.Name, err)
	}
	for _, address := range c.cfg.UDP {
		list, err := socket.ListenUDP(ctx, socket.UDPConfig{Address: address, Sockets: c.cfg.UDPSockets,
			Buffer: c.cfg.ReceiveBuffer, Longest: c.cfg.MaxMessage, Listen: c.cfg.Listen})
		if err != nil {
			return fail(err)
		}
		s.udp = append(s.udp, list...)
	}
	for _, kind := range []struct {
		addresses []string
		list      *[]net.Listener
	}{{c.cfg.TCP, &s.tcp}, {c.cfg.TLS, &s.tls}} {
		for _, address := range kind.addresses {
			l, err := socket.ListenTCP(ctx, address, c.cfg.Listen)
			if err != nil {
				return fail(err)
			}
			*kind.list = append(*kind.list, l)
		}
	}
	return s, nil
}

func (s *sockets) addrs() []net.Addr {
	var list []net.Addr
	for _, u := range s.udp {
		list = append(list, u.Addr())
	}
	for _, l := range append(append([]net.Listener{}, s.tcp...), s.tls...) {
		list = append(list, l.Addr())
	}
	return list
}

// stop makes the accepting and the reading of datagrams end once they have taken what waits in the kernel.
func (s *sockets) stop() {
	for _, l := range append(append([]net.Listener{}, s.tcp...), s.tls...) {
		if d, ok := l.(interface{ SetDeadline(time.Time) error }); !ok || d.SetDeadline(time.Unix(1, 0)) != nil {
			_ = l.Close()
		}
	}
	for _, u := range s.udp {
		u.Stop()
	}
}

// close closes everything.
func (s *sockets) close() {
	for _, l := range append(append([]net.Listener{}, s.tcp...), s.tls...) {
		_ = l.Close()
	}
	for _, u := range s.udp {
		_ = u.Close()
	}
}
