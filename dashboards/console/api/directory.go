// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"

	"github.com/haidang-soc/haidang/internal/asset"
)

// system is an information system as the API shows it.
type system struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Owner     string   `json:"owner,omitempty"`
	Operator  string   `json:"operator,omitempty"`
	Level     uint8    `json:"level"`                  // as decided or proposed
	Effective uint8    `json:"effective_level"`        // what counts
	Status    string   `json:"level_status,omitempty"` // đề xuất, mức hiệu lực, chưa phân loại
	Reason    string   `json:"reason,omitempty"`
	Zone      string   `json:"zone,omitempty"`
	Profile   string   `json:"profile,omitempty"`
	Overlays  []string `json:"overlays,omitempty"`
	Retention int      `json:"retention_days"`
	Basis     []clause `json:"basis,omitempty"`
	Duties    []duty   `json:"duties,omitempty"`
}

type clause struct {
	Text      string `json:"text"`
	Certainty string `json:"certainty"`
}

type duty struct {
	ID     string `json:"id"`
	Text   string `json:"text"`
	Within string `json:"within"` // "0s" is at once
	To     string `json:"to,omitempty"`
	Legacy bool   `json:"legacy,omitempty"`
	clause
}

// systems lists the information systems that the scope may see.
func (s *server) systems(w http.ResponseWriter, r *request) error {
	inv := s.Inventory()
	list := []system{}
	for _, x := range inv.Systems() {
		if r.scope.Allows(x.Units()...) {
			list = append(list, s.system(inv, x))
		}
	}
	return answer(w, http.StatusOK, map[string]any{"systems": list, "inventory": inv.Version()})
}

func (s *server) system(inv *asset.Inventory, x *asset.System) system {
	out := system{ID: x.ID, Name: x.Name, Owner: x.Owner, Operator: x.Operator, Level: x.Level,
		Effective: x.Effective, Status: string(x.Status), Reason: x.Reason, Zone: x.Zone, Profile: x.Profile,
		Overlays: x.Overlays, Retention: inv.RetentionClass(x)}
	for _, c := range inv.Basis(x) {
		out.Basis = append(out.Basis, clause{c.Text, string(c.Certainty)})
	}
	for _, d := range inv.Duties(x, s.Now()) {
		out.Duties = append(out.Duties, duty{ID: d.ID, Text: d.Text, Within: d.Within.String(), To: d.To,
			Legacy: d.Legacy, clause: clause{d.Clause.Text, string(d.Certainty)}})
	}
	return out
}

func (s *server) rules(w http.ResponseWriter, _ *request) error {
	return answer(w, http.StatusOK, map[string]any{"rules": s.Rules()})
}

// sources lists the listeners; they belong to the whole province, so a bounded scope sees none.
func (s *server) sources(w http.ResponseWriter, r *request) error {
	list := []Source{}
	if r.scope.All() {
		list = append(list, s.Sources()...)
	}
	return answer(w, http.StatusOK, map[string]any{"sources": list})
}

// reload reads configuration, inventory, policy and rules anew.
func (s *server) reload(w http.ResponseWriter, r *request) error {
	refused, err := s.Reload(r.Context())
	if err != nil {
		return &problem{Status: http.StatusUnprocessableEntity, Title: "not reloaded: the old configuration stays in use",
			Detail: err.Error()}
	}
	return answer(w, http.StatusOK, map[string]any{"refused": refused})
}
