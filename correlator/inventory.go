// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"net/netip"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
)

// watched is the system that an origin belongs to, and how long the origin may be silent.
type watched struct {
	system  *asset.System
	silence time.Duration
}

// watch finds the system of an origin: by its address, else by its host name. What no system claims is not minded.
func watch(inv *asset.Inventory, o Origin) watched {
	var m asset.Match
	if a, err := netip.ParseAddr(o.Addr); err == nil {
		m = inv.Lookup(o.Site, a)
	}
	if m.System == nil && o.Host != "" {
		m, _ = inv.LookupHost(o.Site, o.Host)
	}
	if m.System == nil {
		return watched{}
	}
	return watched{m.System, inv.Silence(m.System.ID)}
}

// describe returns what an alert says of a system, and the clauses that impose the duty to watch it.
func describe(inv *asset.Inventory, id string) (alert.System, []alert.Clause, bool) {
	s, ok := inv.System(id)
	if !ok {
		return alert.System{}, nil, false
	}
	var list []alert.Clause
	for _, c := range inv.Basis(s) {
		list = append(list, alert.Clause{Text: c.Text, Certainty: string(c.Certainty)})
	}
	return alert.System{ID: s.ID, Name: s.Name, Level: s.Effective, Status: string(s.Status), Unit: s.Owner,
		Secret: s.Secret()}, list, true
}
