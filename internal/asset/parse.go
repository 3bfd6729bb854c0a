// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spelling"
)

var (
	infoClasses = []string{"cong_cong", "rieng", "ca_nhan", "bi_mat_nha_nuoc"}
	unitRoles   = []string{"owner", "operator", "soc"}
)

// draft is an inventory file as written, before the checks that need the whole of it.
type draft struct {
	*reader
	systems []*draftSystem
	zones   []draftRange
	sites   []draftRange
	units   []*Unit
	proxies []prefixAt
	shared  []prefixAt
}

type draftSystem struct {
	System
	owner, operator, profile, zone mark
	overlays, serves               []mark
	parts                          []*draftComponent
}

type draftComponent struct {
	name  string
	line  int
	hosts []mark
	addrs []prefixAt
	cidrs []prefixAt
	site  mark
}

// draftRange is a zone or a site.
type draftRange struct {
	id    string
	site  mark // of a zone
	line  int
	cidrs []prefixAt
}

func readInventory(file string, data []byte) (*draft, error) {
	root, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	d := &draft{reader: &reader{file: file}}
	d.object(root,
		field{"systems", d.each(d.system)},
		field{"zones", d.each(func(n *node) { d.readRange(n, &d.zones, true) })},
		field{"sites", d.each(func(n *node) { d.readRange(n, &d.sites, false) })},
		field{"proxies", d.cidrs(&d.proxies)},
		field{"shared_addresses", d.cidrs(&d.shared)},
		field{"units", d.each(d.unit)},
	)
	return d, d.err()
}

func (d *draft) system(n *node) {
	s := &draftSystem{System: System{line: n.line}}
	d.object(n,
		field{"id", d.name(&s.ID)}, field{"name", d.text(&s.Name)},
		field{"owner", d.markOf(&s.owner)}, field{"operator", d.markOf(&s.operator)},
		field{"level", d.level(&s.Level)}, field{"reason", d.text(&s.Reason)}, field{"zone", d.markOf(&s.zone)},
		field{"decision", func(n *node) { d.decision(n, &s.Decision) }},
		field{"profile", d.markOf(&s.profile)}, field{"overlays", d.marks(&s.overlays)},
		field{"info_class", d.enum(&s.InfoClass, infoClasses...)},
		field{"contacts", d.each(func(n *node) {
			var c Contact
			d.object(n, field{"name", d.text(&c.Name)}, field{"role", d.text(&c.Role)},
				field{"phone", d.text(&c.Phone)}, field{"email", d.text(&c.Email)})
			s.Contacts = append(s.Contacts, c)
		})},
		field{"serves", d.marks(&s.serves)}, field{"silence", d.duration(&s.Silence)},
		field{"components", d.each(func(n *node) { d.component(n, s) })},
	)
	if s.ID == "" {
		d.fail(n.line, "a system needs an id")
		return
	}
	if s.Name == "" {
		d.fail(n.line, "system %q needs a name", s.ID)
	}
	d.systems = append(d.systems, s)
}

func (d *draft) component(n *node, s *draftSystem) {
	c := &draftComponent{line: n.line}
	d.object(n, field{"name", d.text(&c.name)}, field{"hosts", d.marks(&c.hosts)},
		field{"addresses", d.addresses(&c.addrs)}, field{"cidrs", d.cidrs(&c.cidrs)}, field{"site", d.markOf(&c.site)})
	if len(c.hosts)+len(c.addrs)+len(c.cidrs) == 0 {
		d.fail(n.line, "component %q of system %q has no hosts, addresses or cidrs: nothing can find it", c.name, s.ID)
	}
	s.parts = append(s.parts, c)
}

func (d *draft) readRange(n *node, dst *[]draftRange, zone bool) {
	x := draftRange{line: n.line}
	fields := []field{{"id", d.name(&x.id)}, {"cidrs", d.cidrs(&x.cidrs)}}
	if zone {
		fields = append(fields, field{"site", d.markOf(&x.site)})
	}
	d.object(n, fields...)
	if x.id == "" {
		d.fail(n.line, "a zone or site needs an id")
		return
	}
	for _, o := range *dst {
		if o.id == x.id && (!zone || o.site.text == x.site.text) {
			d.fail(n.line, "%q is given twice (first on line %d): join the two", x.id, o.line)
		}
	}
	*dst = append(*dst, x)
}

func (d *draft) unit(n *node) {
	u := &Unit{line: n.line}
	d.object(n, field{"id", d.name(&u.ID)}, field{"name", d.text(&u.Name)}, field{"parent", d.text(&u.Parent)},
		field{"role", d.enum(&u.Role, unitRoles...)},
		field{"aliases", d.each(func(n *node) {
			var a Alias
			d.object(n, field{"name", d.text(&a.Name)}, field{"until", d.date(&a.Until)})
			if a.Name == "" || a.Until.IsZero() {
				d.fail(n.line, "an alias needs name and until (the last day it was used)")
				return
			}
			u.Aliases = append(u.Aliases, a)
		})})
	if u.ID == "" || u.Name == "" {
		d.fail(n.line, "a unit needs id and name")
		return
	}
	d.units = append(d.units, u)
}

// build makes the inventory of a draft, or says everything that is wrong with it.
func (d *draft) build(policy *Policy, laws *profiles) (*Inventory, error) {
	inv := &Inventory{policy: policy, profiles: laws, byID: map[string]*System{}, unitByID: map[string]*Unit{},
		retention: map[string]int{}}
	var ok, ok2 bool
	inv.forwarded, ok = event.Intern(forwardedField)
	if inv.proxy, ok2 = event.Intern(proxyField); !ok || !ok2 {
		return nil, fmt.Errorf("asset: no room for the field names %s and %s", forwardedField, proxyField)
	}
	d.buildUnits(inv)
	for _, s := range d.sites {
		inv.sites = append(inv.sites, s.id)
	}
	for _, s := range d.systems {
		d.buildSystem(inv, s)
	}
	for _, s := range d.systems {
		for _, m := range s.serves {
			if _, ok := inv.byID[m.text]; !ok {
				d.fail(m.line, "system %q serves %q, which is no system%s", s.ID, m.text, near(m.text, inv.byID))
			}
		}
	}
	slices.SortFunc(inv.systems, func(a, b *System) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(inv.units, func(a, b *Unit) int { return cmp.Compare(a.ID, b.ID) })
	for id, x := range policy.exceptions {
		if _, ok := inv.byID[id]; !ok {
			d.errs = append(d.errs, &lineError{policy.file, x.line, fmt.Sprintf("retention exception for %q, "+
				"which is no system of %s%s", id, d.file, near(id, inv.byID))})
		}
	}
	inv.effectiveLevels()
	for _, s := range inv.systems {
		inv.retention[s.ID] = inv.RetentionClass(s)
	}
	inv.proxies, inv.shared, inv.relays = newRanges(d.proxies), newRanges(d.shared), newRanges(nil)
	d.buildTables(inv)
	return inv, d.err()
}

func (d *draft) buildUnits(inv *Inventory) {
	for _, u := range d.units {
		if o, ok := inv.unitByID[u.ID]; ok {
			d.fail(u.line, "unit %q is given twice (first on line %d): rename one", u.ID, o.line)
			continue
		}
		inv.unitByID[u.ID] = u
		inv.units = append(inv.units, u)
	}
	for _, u := range inv.units {
		at := u
		for range inv.units {
			if at.Parent == "" {
				break
			}
			next, ok := inv.unitByID[at.Parent]
			if !ok {
				if at == u {
					d.fail(u.line, "unit %q has parent %q, which is no unit%s", u.ID, u.Parent, near(u.Parent, inv.unitByID))
				}
				break
			}
			if at = next; at == u {
				d.fail(u.line, "unit %q is its own parent, directly or in a circle", u.ID)
				break
			}
		}
	}
}

func (d *draft) buildSystem(inv *Inventory, ds *draftSystem) {
	s := &ds.System
	if o, ok := inv.byID[s.ID]; ok {
		d.fail(s.line, "system %q is given twice (first on line %d): rename one", s.ID, o.line)
		return
	}
	unit := func(m mark, key string) string {
		if _, ok := inv.unitByID[m.text]; m.text != "" && !ok {
			d.fail(m.line, "%s %q of system %q is no unit%s", key, m.text, s.ID, near(m.text, inv.unitByID))
		}
		return m.text
	}
	s.Owner, s.Operator = unit(ds.owner, "owner"), unit(ds.operator, "operator")
	for _, u := range []string{s.Owner, s.Operator} {
		if u != "" && !slices.Contains(s.units, u) {
			s.units = append(s.units, u)
		}
	}
	s.Zone = ds.zone.text
	if s.Zone != "" && !slices.ContainsFunc(d.zones, func(z draftRange) bool { return z.id == s.Zone }) {
		d.fail(ds.zone.line, "zone %q of system %q is not listed under zones", s.Zone, s.ID)
	}
	if s.Profile = ds.profile.text; s.Profile == "" {
		s.Profile = inv.profiles.standard
	} else if p, ok := inv.profiles.byID[s.Profile]; !ok || p.overlay {
		d.fail(ds.profile.line, "profile %q of system %q is not one of %s", s.Profile, s.ID,
			strings.Join(inv.profiles.names(false), ", "))
	}
	for _, m := range ds.overlays {
		if p, ok := inv.profiles.byID[m.text]; !ok || !p.overlay {
			d.fail(m.line, "overlay %q of system %q is not one of %s", m.text, s.ID,
				strings.Join(inv.profiles.names(true), ", "))
			continue
		}
		s.Overlays = append(s.Overlays, m.text)
	}
	for _, m := range ds.serves {
		s.Serves = append(s.Serves, m.text)
	}
	for _, c := range ds.parts {
		if c.site.text != "" && !slices.Contains(inv.sites, c.site.text) {
			d.fail(c.site.line, "site %q of component %q is not listed under sites", c.site.text, c.name)
		}
		out := Component{Name: c.name, Site: c.site.text}
		for _, a := range c.addrs {
			out.Addresses = append(out.Addresses, a.Addr())
		}
		for _, p := range c.cidrs {
			out.CIDRs = append(out.CIDRs, p.Prefix)
		}
		for _, h := range c.hosts {
			out.Hosts = append(out.Hosts, hostName(h.text))
		}
		s.Components = append(s.Components, out)
	}
	if s.Decision.Status == "approved" && s.Level == 0 {
		d.fail(s.line, "system %q has an approved decision but no level", s.ID)
	}
	inv.byID[s.ID] = s
	inv.systems = append(inv.systems, s)
}

// effectiveLevels gives each system the level that counts: its own, or the highest of those it serves.
func (inv *Inventory) effectiveLevels() {
	for _, s := range inv.systems {
		s.Effective, s.Status = s.Level, Proposed
		switch {
		case s.Level == 0:
			s.Status = Unclassified
		case s.Decision.Status == "approved":
			s.Status = Decided
		}
	}
	for _, s := range inv.systems {
		if s.Effective == 0 && len(s.Serves) == 0 {
			s.Effective = inv.policy.unmapped
		}
	}
	for changed := true; changed; { // at most five rounds for each system: levels only rise
		changed = false
		for _, s := range inv.systems {
			for _, id := range s.Serves {
				if o, ok := inv.byID[id]; ok && o.Effective > s.Effective {
					s.Effective, s.Status, changed = o.Effective, Derived, true
				}
			}
		}
	}
	for _, s := range inv.systems {
		if s.Effective == 0 {
			s.Effective = inv.policy.unmapped
		}
	}
}

func near[T any](id string, known map[string]T) string {
	best, cost := "", len(id)/2+1
	for k := range known {
		if c := spelling.Distance(id, k); c < cost || c == cost && best != "" && k < best {
			best, cost = k, c
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}
