// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"net/netip"
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
)

// forwardedField is where the decoders of web servers leave the X-Forwarded-For header as it was sent.
const forwardedField = "haidang.extra.x_forwarded_for"

// proxyField keeps the address of the proxy when source.ip has become the client's.
const proxyField = "haidang.extra.proxy_ip"

// nearestUntrusted walks X-Forwarded-For from its right end, where our own proxies write, and returns the first hop
// that is none of them. What stands left of it is the client's own claim and is never believed; neither is any header
// when the peer itself is no proxy of ours. A hop that is no address ends the walk at the last proxy.
func nearestUntrusted(peer netip.Addr, header string, trusted func(netip.Addr) bool) netip.Addr {
	at := peer.Unmap()
	for trusted(at) && header != "" {
		var hop string
		if i := strings.LastIndexByte(header, ','); i >= 0 {
			header, hop = header[:i], header[i+1:]
		} else {
			header, hop = "", header
		}
		a, ok := parseHop(hop)
		if !ok {
			break
		}
		at = a
	}
	return at
}

// parseHop reads an address as proxies write it: 192.0.2.1, 192.0.2.1:443, 2001:db8::1, [2001:db8::1], and with port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t\"")
	if len(s) == 0 || len(s) > 64 {
		return netip.Addr{}, false
	}
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 || end+1 < len(s) && !port(s[end+1:]) {
			return netip.Addr{}, false
		}
		s = s[1:end]
	} else if i := strings.IndexByte(s, ':'); i > 0 && strings.IndexByte(s, '.') >= 0 && strings.IndexByte(s, '.') < i {
		if !port(s[i:]) {
			return netip.Addr{}, false
		}
		s = s[:i]
	}
	for i := range len(s) { // before ParseAddr, whose errors allocate
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '.' || c == ':') {
			return netip.Addr{}, false
		}
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// port reads ":" and one to five digits.
func port(s string) bool {
	if len(s) < 2 || len(s) > 6 || s[0] != ':' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// unproxy gives source.ip the client behind our own proxies.
func (inv *Inventory) unproxy(b *event.Builder, peer netip.Addr) netip.Addr {
	if !inv.proxies.has(peer) {
		return peer
	}
	v, ok := b.Get(inv.forwarded)
	if !ok {
		return peer
	}
	header := v.Str()
	if v.Kind() == event.List {
		header = v.At(v.Len() - 1).Str()
	}
	client := nearestUntrusted(peer, header, inv.Proxy)
	if client == peer {
		return peer
	}
	var buf [64]byte
	b.Bytes(inv.proxy, peer.AppendTo(buf[:0]))
	b.IP(event.SourceIP, client)
	b.IP(event.NetworkForwardedIP, client)
	b.Del(event.SourcePort) // the proxy's
	return client
}
