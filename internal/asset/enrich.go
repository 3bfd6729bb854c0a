// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"net/netip"
	"slices"

	"github.com/haidang-soc/haidang/internal/event"
)

// enriched are the fields that only Enrich may write: what a sender claims of them is removed.
var enriched = [...]event.FieldID{
	event.HaidangSystemID, event.HaidangSystemName, event.HaidangLevel, event.HaidangLevelStatus, event.HaidangUnitID,
	event.HaidangSourceSystemID, event.HaidangSourceSystemName, event.HaidangSourceLevel, event.HaidangSourceZone,
	event.HaidangDestinationSystemID, event.HaidangDestinationSystemName, event.HaidangDestinationLevel,
	event.HaidangDestinationZone, event.HaidangInventoryVersion,
}

// Enrich adds to the event being built what the inventory knows, as seen from a site: the client behind our proxies,
// system, level and zone of both ends, and of the event as a whole the highest level and its system. When one end has
// no address (a login, a request in a web log) the host that speaks stands for it; when neither end has a level, the
// speaking host's counts. The units that may see the event are the owners and operators of all of them. It does not
// allocate and is safe for concurrent use with other builders.
func (inv *Inventory) Enrich(b *event.Builder, site string) {
	for _, id := range enriched {
		b.Del(id)
	}
	origin := inv.originOf(b, site)
	source, destination := &outside, &outside
	v, hasSource := b.Get(event.SourceIP)
	if hasSource {
		source = inv.find(site, inv.unproxy(b, address(v)))
	}
	v, hasDestination := b.Get(event.DestinationIP)
	if hasDestination {
		destination = inv.find(site, address(v))
	}
	switch {
	case hasSource && !hasDestination:
		destination = origin
	case hasDestination && !hasSource:
		source = origin
	}
	inv.event(b, source, destination, origin)
	if m := source; m != &outside {
		end(b, m, event.HaidangSourceSystemID, event.HaidangSourceLevel)
	}
	if m := destination; m != &outside {
		end(b, m, event.HaidangDestinationSystemID, event.HaidangDestinationLevel)
	}
	b.Str(event.HaidangInventoryVersion, inv.version)
}

// address reads an address, or the first of a list.
func address(v event.Value) netip.Addr { return v.At(0).IP() }

// end writes one end. The ids of its four fields are neighbours: system.id, system.name, level, zone; a test holds
// fields.lock to that.
func end(b *event.Builder, m *Match, first, level event.FieldID) {
	if m.System != nil {
		b.Str(first, m.System.ID)
		b.Str(first+1, m.System.Name)
	}
	if m.Level > 0 {
		b.Int(level, int64(m.Level))
	}
	b.Str(level+1, m.Zone)
}

// event writes what holds for the event as a whole.
func (inv *Inventory) event(b *event.Builder, source, destination, origin *Match) {
	highest := higher(destination, source)
	if highest.Level == 0 {
		highest = origin
	}
	system := highest
	if system.System == nil {
		if system = source; destination.System != nil {
			system = destination
		}
		if system.System == nil {
			system = origin
		}
	}
	if system.System != nil {
		b.Str(event.HaidangSystemID, system.System.ID)
		b.Str(event.HaidangSystemName, system.System.Name)
	}
	if highest.Level > 0 {
		b.Int(event.HaidangLevel, int64(highest.Level))
		b.Str(event.HaidangLevelStatus, string(highest.Status))
	}
	var units [6]string
	n := 0
	for _, m := range [...]*Match{destination, source, origin} {
		if m.System == nil {
			continue
		}
		for _, u := range m.System.units {
			if !slices.Contains(units[:n], u) {
				units[n] = u
				n++
			}
		}
	}
	b.Strs(event.HaidangUnitID, units[:n]...)
}

// higher returns the end with the higher level; of equals the one that a system claims, then the first.
func higher(a, b *Match) *Match {
	switch {
	case a.Level != b.Level:
		if a.Level > b.Level {
			return a
		}
		return b
	case a.System == nil && b.System != nil:
		return b
	}
	return a
}

// originOf finds the host that speaks: by the address it sent from, else by the name it gives itself (a firewall's is
// observer.name). A sender on our own machine, a relay or a proxy passes on what others say, so there the name goes
// first.
func (inv *Inventory) originOf(b *event.Builder, site string) *Match {
	var a netip.Addr
	if v, ok := b.Get(event.ObserverIP); ok {
		a = address(v)
	}
	host := b.Text(event.HostName)
	if host == "" {
		host = b.Text(event.ObserverName)
	}
	return inv.speaker(site, a, host)
}

func (inv *Inventory) speaker(site string, a netip.Addr, host string) *Match {
	if a.IsLoopback() || inv.relays.has(a) || inv.proxies.has(a) {
		if m := inv.findHost(site, host); m != &outside {
			return m
		}
		return inv.find(site, a)
	}
	m := inv.find(site, a)
	if m.System != nil {
		return m
	}
	if h := inv.findHost(site, host); h != &outside {
		return h
	}
	return m
}

// Speaker says which system a sender belongs to, by its address and the host name it gives: see Enrich.
func (inv *Inventory) Speaker(site string, a netip.Addr, host string) Match {
	return *inv.speaker(site, a.Unmap(), host)
}
