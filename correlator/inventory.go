// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"net/netip"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
)

// watched is what the inventory says of an origin, and how long the origin may be silent.
type watched struct {
	asset.Match
	silence time.Duration
}

// watch finds the system of an origin. What is outside, and so none of ours, is not minded; what is inside and claimed
// by no system is.
func watch(inv *asset.Inventory, o Origin) watched {
	a, err := netip.ParseAddr(o.Addr)
	if err != nil {
		a = netip.Addr{}
	}
	w := watched{Match: inv.Speaker(o.Site, a, o.Host)}
	switch {
	case w.System != nil:
		w.silence = inv.Silence(w.System.ID)
	case w.Level > 0:
		w.silence = inv.Silence("")
	}
	return w
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
