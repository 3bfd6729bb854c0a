// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"fmt"
	"net/netip"
)

// claim is a component's word that an address, range or host name is its own.
type claim struct {
	system    *System
	component string
	site      string
	line      int
}

func (c claim) String() string {
	return fmt.Sprintf("%s/%s (line %d)", c.system.ID, c.component, c.line)
}

// claims finds ties: the same range or name twice, where the sites are the same or one of the two names none.
type claims[K comparable] map[K][]claim

func (m claims[K]) add(r *reader, k K, what string, c claim) {
	for _, o := range m[k] {
		if o.site == c.site || o.site == "" || c.site == "" {
			r.fail(c.line, "%s %s of %s/%s is already claimed by %v: remove one, or give each its site", what,
				fmt.Sprint(k), c.system.ID, c.component, o)
			return
		}
	}
	m[k] = append(m[k], c)
}

// builder makes the tables of an inventory. Equal matches are one value, so that tables compare pointers.
type builder struct {
	d      *draft
	inv    *Inventory
	intern map[Match]*Match
	cuts   map[string]*cuts // by site; "" = what every site shares
	ranges map[string]*nest[claim]
	zones  map[string]*nest[string]
	inside map[string]*nest[bool]
}

func (b *builder) one(m Match) *Match {
	if m == outside {
		return &outside
	}
	if p, ok := b.intern[m]; ok {
		return p
	}
	p := &m
	b.intern[m] = p
	return p
}

func (d *draft) buildTables(inv *Inventory) {
	b := &builder{d: d, inv: inv, intern: map[Match]*Match{}, cuts: map[string]*cuts{},
		ranges: map[string]*nest[claim]{}, zones: map[string]*nest[string]{}, inside: map[string]*nest[bool]{}}
	for _, s := range append([]string{""}, inv.sites...) {
		b.cuts[s], b.ranges[s] = &cuts{}, &nest[claim]{}
		b.zones[s], b.inside[s] = &nest[string]{}, &nest[bool]{}
	}
	b.readRanges()
	b.readClaims()
	inv.tables = make(map[string]*table, len(inv.sites))
	every := *b.cuts[""]
	for _, site := range inv.sites {
		c := *b.cuts[site]
		every.v4, every.v6 = append(every.v4, c.v4...), append(every.v6, c.v6...)
		c.v4, c.v6 = append(c.v4, b.cuts[""].v4...), append(c.v6, b.cuts[""].v6...)
		inv.tables[site] = c.flatten(func(a netip.Addr) *Match { return b.answer(site, a) })
	}
	inv.union = every.flatten(b.merged)
	b.hosts()
}

func (b *builder) readRanges() {
	seen := map[netip.Prefix][]draftRange{}
	for _, s := range b.d.sites {
		for _, p := range s.cidrs {
			b.inside[s.id].add(p.Prefix, true)
			b.cuts[s.id].add(p.Prefix)
		}
	}
	for _, z := range b.d.zones {
		if z.site.text != "" && b.zones[z.site.text] == nil {
			b.d.fail(z.site.line, "site %q of zone %q is not listed under sites", z.site.text, z.id)
			continue
		}
		for _, p := range z.cidrs {
			for _, o := range seen[p.Prefix] {
				if o.site.text == z.site.text || o.site.text == "" || z.site.text == "" {
					b.d.fail(p.line, "range %v of zone %q is already in zone %q (line %d): remove one, or give each "+
						"its site", p.Prefix, z.id, o.id, o.line)
				}
			}
			seen[p.Prefix] = append(seen[p.Prefix], z)
			b.zones[z.site.text].add(p.Prefix, z.id)
			b.cuts[z.site.text].add(p.Prefix)
		}
	}
}

func (b *builder) readClaims() {
	taken := claims[netip.Prefix]{}
	for _, ds := range b.d.systems {
		s := &ds.System
		if b.inv.byID[s.ID] != s {
			continue // a double, reported already
		}
		for _, c := range ds.parts {
			if b.ranges[c.site.text] == nil {
				continue
			}
			for _, p := range append(c.addrs[:len(c.addrs):len(c.addrs)], c.cidrs...) {
				cl := claim{s, c.name, c.site.text, p.line}
				what := "range"
				if p.IsSingleIP() {
					what = "address"
				}
				taken.add(b.d.reader, p.Prefix, what, cl)
				b.ranges[c.site.text].add(p.Prefix, cl)
				b.cuts[c.site.text].add(p.Prefix)
			}
		}
	}
}

// longest finds the longest range in a site's own set and the shared one.
func longest[T any](sets map[string]*nest[T], site string, a netip.Addr) (T, bool) {
	own, bits, ok := sets[site].find(a)
	if site == "" {
		return own, ok
	}
	if common, n, found := sets[""].find(a); found && n > bits {
		return common, true
	}
	return own, ok
}

// answer is what a site itself knows about an address.
func (b *builder) answer(site string, a netip.Addr) *Match {
	var m Match
	m.Zone, _ = longest(b.zones, site, a)
	_, m.Inside = longest(b.inside, site, a)
	c, ok := longest(b.ranges, site, a)
	switch {
	case ok:
		m.System, m.Component = c.system, c.component
		m.Level, m.Status = c.system.Effective, c.system.Status
		if m.Zone == "" {
			m.Zone = c.system.Zone
		}
	case m.Inside:
		m.Level, m.Status = b.inv.policy.unmapped, Unclassified
	}
	return b.one(m)
}

// merged is what all sites together know: what they agree on, else an unclassified address of the highest level.
func (b *builder) merged(a netip.Addr) *Match {
	m := b.answer("", a)
	for _, site := range b.inv.sites {
		t := b.inv.tables[site].find(a)
		switch {
		case t == m || !t.known():
		case !m.known():
			m = t
		default:
			x := Match{Inside: true, Level: max(m.Level, t.Level), Status: Unclassified}
			if m.Zone == t.Zone {
				x.Zone = m.Zone
			}
			if m.System == t.System && m.System != nil {
				x = Match{System: m.System, Level: m.Level, Status: m.Status, Zone: x.Zone, Inside: m.Inside || t.Inside}
				if m.Component == t.Component {
					x.Component = m.Component
				}
			}
			m = b.one(x)
		}
	}
	return m
}

func (b *builder) hosts() {
	taken := claims[string]{}
	b.inv.hosts = map[string]hostEntry{}
	for _, ds := range b.d.systems {
		for _, c := range ds.parts {
			for _, h := range c.hosts {
				name := hostName(h.text)
				if name == "" || len(name) > 255 {
					b.d.fail(h.line, "%q is no host name", h.text)
					continue
				}
				s := &ds.System
				taken.add(b.d.reader, name, "host", claim{s, c.name, c.site.text, h.line})
				m := Match{System: s, Component: c.name, Level: s.Effective, Status: s.Status, Zone: s.Zone}
				if len(c.addrs) > 0 && b.ranges[c.site.text] != nil {
					at := b.answer(c.site.text, c.addrs[0].Addr())
					m.Zone, m.Inside = at.Zone, at.Inside
				}
				if b.inv.hosts[name] == nil {
					b.inv.hosts[name] = hostEntry{}
				}
				b.inv.hosts[name][c.site.text] = b.one(m)
			}
		}
	}
}
