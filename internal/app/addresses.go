// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"net"
	"sync/atomic"

	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/sockets"
)

// addresses are what was bound, for who asked for port 0.
type addresses struct{ http atomic.Pointer[string] }

// HTTPAddr returns the address of the HTTP listener, "" before Ready.
func (a *App) HTTPAddr() string {
	if p := a.addresses.http.Load(); p != nil {
		return *p
	}
	return ""
}

// ListenerAddrs returns the addresses a configured listener is bound to, none before it runs.
func (a *App) ListenerAddrs(name string) []net.Addr {
	for _, l := range a.listeners {
		if l.name == name {
			return l.addrs()
		}
	}
	return nil
}

// Sockets lists the sockets that a configuration listens on: those a parent process opens and holds.
func Sockets(c *config.Config) []sockets.Address {
	list := []sockets.Address{{Network: "tcp", Address: c.HTTP.Listen}}
	for _, x := range c.Collectors {
		switch {
		case x.Syslog != nil && x.Syslog.Protocol == "udp":
			list = append(list, sockets.Address{Network: "udp", Address: x.Syslog.Listen})
		case x.Syslog != nil:
			list = append(list, sockets.Address{Network: "tcp", Address: x.Syslog.Listen})
		case x.Netflow != nil:
			list = append(list, sockets.Address{Network: "udp", Address: x.Netflow.Listen})
		}
	}
	return list
}
