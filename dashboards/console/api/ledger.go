// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/ledger"
)

// Ledger is what the API asks the ledger.
type Ledger struct {
	View    func() ledger.View
	Origins func() []ledger.Origin // with the system that the inventory in use gives them, the busiest first
	Adopt   func(context.Context, ledger.Adoption) error
}

// maxOriginPage is how many senders an answer holds.
const maxOriginPage = 1000

// ledger shows the balance; it belongs to the whole province.
func (s *server) ledger(w http.ResponseWriter, r *request) error {
	if err := wholeProvince(r); err != nil {
		return err
	}
	return answer(w, http.StatusOK, s.Ledger.View())
}

// ledgerOrigins lists senders: all, or those that no system claims.
func (s *server) ledgerOrigins(w http.ResponseWriter, r *request) error {
	if err := wholeProvince(r); err != nil {
		return err
	}
	q := r.URL.Query()
	skip := 0
	if after := q.Get("after"); after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 {
			return badRequest("after: %q is no place of a page of this list", after)
		}
		skip = n
	}
	page := []ledger.Origin{}
	next, total := "", 0
	for _, o := range s.Ledger.Origins() {
		if q.Get("unknown") == "true" && !o.Unknown {
			continue
		}
		if total++; total <= skip {
			continue
		}
		if len(page) == maxOriginPage {
			if next == "" {
				next = strconv.Itoa(skip + len(page))
			}
			continue
		}
		page = append(page, o)
	}
	return answer(w, http.StatusOK, map[string]any{"origins": page, "total": total, "after": next})
}

// adopt takes an address into the inventory.
func (s *server) adopt(w http.ResponseWriter, r *request) error {
	var what struct {
		Address   string `json:"address"`
		System    string `json:"system"`
		Site      string `json:"site"`
		Component string `json:"component"`
	}
	if err := body(r, &what); err != nil {
		return err
	}
	addr, err := netip.ParseAddr(what.Address)
	if err != nil || addr.Zone() != "" {
		return badRequest("address: %.60q is no IP address", what.Address)
	}
	a := ledger.Adoption{Address: addr.Unmap(), Site: what.Site, System: what.System, Component: what.Component}
	err = s.Ledger.Adopt(r.Context(), a)
	told := s.People.Audit().Append(access.Entry{At: s.Now(), Actor: r.principal.Actor, Action: "inventory.adopt",
		Target: a.System, Detail: a.Address.String() + " " + a.Site, Remote: r.RemoteAddr, OK: err == nil})
	if err = errors.Join(err, told); err != nil {
		return &problem{Status: http.StatusUnprocessableEntity, Title: "not adopted", Detail: err.Error()}
	}
	return answer(w, http.StatusOK, map[string]any{"address": a.Address, "system": a.System,
		"inventory": s.Inventory().Version()})
}

// wholeProvince refuses who sees single units only.
func wholeProvince(r *request) error {
	if r.scope.All() {
		return nil
	}
	return &problem{Status: http.StatusForbidden, Title: "not allowed",
		Detail: r.principal.Actor + " sees single units only: the ledger concerns the whole province"}
}
