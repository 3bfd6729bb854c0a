// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"bytes"
	"net/netip"
)

// Match is what the inventory says about an address or a host.
type Match struct {
	System    *System // nil: no system claims it
	Component string
	Zone      string
	Level     uint8 // 0: outside, nobody's
	Status    Status
	Inside    bool // in a site's own ranges
}

// outside is the match of the rest of the world.
var outside = Match{}

// hostEntry is a host name with the systems that use it, by site ("" = whatever the site).
type hostEntry map[string]*Match

// Lookup says which system an address belongs to as seen from a site (listener, relay or agent say which). An address
// beats the longest range. What the site itself does not know is looked up among all sites: where they disagree and the
// site is unknown the address is inside and unclassified. It does not allocate.
func (inv *Inventory) Lookup(site string, a netip.Addr) Match { return *inv.find(site, a) }

func (inv *Inventory) find(site string, a netip.Addr) *Match {
	if !a.IsValid() {
		return &outside
	}
	a = a.Unmap()
	own := &outside
	if t, ok := inv.tables[site]; ok {
		if own = t.find(a); own.known() {
			return own
		}
	}
	if m := inv.union.find(a); m.known() || own == &outside {
		return m
	}
	return own
}

func (m *Match) known() bool { return m.System != nil || m.Inside }

// LookupHost says which system a host name belongs to; it comes last, since a sender names itself. A full name that
// nobody lists is tried by its first label. It does not allocate.
func (inv *Inventory) LookupHost(site, host string) (Match, bool) {
	m := inv.findHost(site, host)
	return *m, m != &outside
}

func (inv *Inventory) findHost(site, host string) *Match {
	if host == "" || len(host) > 255 || len(inv.hosts) == 0 {
		return &outside
	}
	var buf [255]byte
	name := buf[:0]
	for i := range len(host) {
		c := host[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		name = append(name, c)
	}
	name = bytes.TrimSuffix(name, []byte("."))
	for {
		if e, ok := inv.hosts[string(name)]; ok {
			return e.at(site)
		}
		dot := bytes.LastIndexByte(name, '.')
		if dot <= 0 {
			return &outside
		}
		name = name[:bytes.IndexByte(name, '.')]
	}
}

func (e hostEntry) at(site string) *Match {
	if m, ok := e[site]; ok {
		return m
	}
	if len(e) == 1 { // an entry for any site, or the only site that uses the name
		for _, m := range e {
			return m
		}
	}
	return &outside
}
