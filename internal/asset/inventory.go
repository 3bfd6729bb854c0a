// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// Inventory is what the province knows about its information systems: a whole, immutable value, safe for concurrent
// use. What its methods return must not be changed.
type Inventory struct {
	version   string
	policy    *Policy
	profiles  *profiles
	systems   []*System // by id
	byID      map[string]*System
	units     []*Unit // by id
	unitByID  map[string]*Unit
	sites     []string
	tables    map[string]*table // by site
	union     *table            // all sites, for a site that is unknown
	hosts     map[string]hostEntry
	proxies   ranges
	relays    ranges // hosts that pass on what others say
	shared    ranges
	retention map[string]int // class by system id
	forwarded event.FieldID  // forwardedField
	proxy     event.FieldID  // proxyField
}

// System is one information system (hệ thống thông tin).
type System struct {
	ID, Name        string
	Owner, Operator string // unit ids
	Level           uint8  // as decided or proposed; 0 when the inventory gives none
	Effective       uint8  // what counts: Level, or the highest of what it serves; unmapped_level when neither is known
	Status          Status // how Effective is to be shown
	Zone            string
	Decision        Decision
	Reason          string // why this level: the criterion
	Profile         string // id of a profile in profiles/
	Overlays        []string
	InfoClass       string // cong_cong, rieng, ca_nhan, bi_mat_nha_nuoc
	Contacts        []Contact
	Serves          []string // ids of the systems that depend on it
	Silence         time.Duration
	Components      []Component
	units           []string // owner and operator
	line            int
}

// Secret reports whether the system holds state secrets: no sink sends its alerts unless told to.
func (s *System) Secret() bool { return s.InfoClass == "bi_mat_nha_nuoc" }

// Units returns the ids of owner and operator: what a scope is asked about.
func (s *System) Units() []string { return s.units }

// InTransition reports whether the level was decided under NĐ 85/2016 and so stands only until the new measures fall
// due.
func (s *System) InTransition() bool { return s.Profile == legacyProfile }

// Component is a part of a system that speaks on the network.
type Component struct {
	Name      string
	Hosts     []string
	Addresses []netip.Addr
	CIDRs     []netip.Prefix
	Site      string // "" = whatever the site
}

// Contact is a person or desk to call about a system.
type Contact struct{ Name, Role, Phone, Email string }

// Unit is an organisation that owns or operates systems, or the SOC itself.
type Unit struct {
	ID, Name, Parent, Role string // Role: owner, operator, soc
	Aliases                []Alias
	line                   int
}

// Alias is a former name of a unit, in use until a day.
type Alias struct {
	Name  string
	Until time.Time
}

// Status says how a level came about; its text is what analysts read beside the number.
type Status string

// The four states of a level. A decided level needs no remark.
const (
	Decided      Status = ""
	Proposed     Status = "đề xuất"
	Derived      Status = "mức hiệu lực"
	Unclassified Status = "chưa phân loại"
)

// Version names the content of inventory, policy and profiles: equal content, equal version.
func (inv *Inventory) Version() string { return inv.version }

// Policy returns the policy that was loaded with the inventory.
func (inv *Inventory) Policy() *Policy { return inv.policy }

// System returns a system by id.
func (inv *Inventory) System(id string) (*System, bool) {
	s, ok := inv.byID[id]
	return s, ok
}

// Systems returns all systems, ordered by id.
func (inv *Inventory) Systems() []*System { return inv.systems }

// Unit returns a unit by id.
func (inv *Inventory) Unit(id string) (*Unit, bool) {
	u, ok := inv.unitByID[id]
	return u, ok
}

// Units returns all units, ordered by id.
func (inv *Inventory) Units() []*Unit { return inv.units }

// UnitsUnder returns the given units and all units below them: the scope of a person who answers for them.
func (inv *Inventory) UnitsUnder(ids ...string) []string {
	var out []string
	for _, u := range inv.units {
		for at, steps := u, 0; at != nil && steps <= len(inv.units); at, steps = inv.unitByID[at.Parent], steps+1 {
			if slices.Contains(ids, at.ID) {
				out = append(out, u.ID)
				break
			}
		}
	}
	return out
}

// UnitName returns the name of a unit on a day: its alias while that was in use, else its name.
func (inv *Inventory) UnitName(id string, day time.Time) string {
	u, ok := inv.unitByID[id]
	if !ok {
		return id
	}
	best := Alias{Name: u.Name}
	for _, a := range u.Aliases {
		if !day.After(a.Until) && (best.Until.IsZero() || a.Until.Before(best.Until)) {
			best = a
		}
	}
	return best.Name
}

// Sites returns the ids of the sites, in the file's order.
func (inv *Inventory) Sites() []string { return inv.sites }

// Shared reports whether many people share the address (NAT): it is never one attacker.
func (inv *Inventory) Shared(a netip.Addr) bool { return inv.shared.has(a) }

// Proxy reports whether the address is one of our own proxies, whose word on the client is believed.
func (inv *Inventory) Proxy(a netip.Addr) bool { return inv.proxies.has(a) }

// Silence is how long a source of the system may say nothing. An unknown system takes the row of unmapped_level.
func (inv *Inventory) Silence(system string) time.Duration {
	s, ok := inv.byID[system]
	switch {
	case !ok:
		return inv.policy.Silence("", inv.policy.unmapped)
	case s.Silence > 0:
		return s.Silence
	}
	return inv.policy.Silence(s.ID, s.Effective)
}

// hostName is how host names compare: lower case, without the final dot.
func hostName(s string) string {
	b := []byte(strings.TrimSuffix(s, "."))
	for i, c := range b {
		if c >= 'A' && c <= 'Z' { // ASCII only, as in DNS
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
