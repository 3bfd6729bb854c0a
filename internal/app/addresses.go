// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"net"
	"sync/atomic"
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
