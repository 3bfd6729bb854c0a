// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"net/http"

	"github.com/haidang-soc/haidang/dashboards/console/api"
)

func (a *App) api() http.Handler {
	return api.New(api.Config{
		Events: a.store, Alerts: a.alerts, People: a.people, Inventory: a.inventory.Get, Principal: a.principal,
		Rules: a.ruleList, Sources: a.sourceList, PublicURL: a.cfg.PublicURL,
		Reload: func(ctx context.Context) ([]string, error) {
			refused, err := a.Reload(ctx)
			list := []string{}
			for _, r := range refused {
				list = append(list, r.Error())
			}
			return list, err
		},
	})
}

func (a *App) ruleList() []api.Rule {
	list := []api.Rule{}
	for _, r := range a.setups.current().Rules.Rules() {
		list = append(list, api.Rule{ID: r.ID, Title: r.Title, Description: r.Description, Level: r.Level, Tags: r.Tags,
			Steps: r.Steps})
	}
	return list
}

func (a *App) sourceList() []api.Source {
	list := []api.Source{}
	for _, l := range a.listeners {
		s := api.Source{Name: l.name, Kind: l.kind, Counts: map[string]uint64{}}
		for _, c := range l.stats() {
			name := c.name
			if c.reason != "" {
				name += "." + c.reason
			}
			s.Counts[name] = c.value
		}
		list = append(list, s)
	}
	return list
}
