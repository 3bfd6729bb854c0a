// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/haidang-soc/haidang/dashboards/console/api"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/ledger"
	"github.com/haidang-soc/haidang/internal/store"
)

func (a *App) api(stopping <-chan struct{}) http.Handler {
	var events store.Querier = a.store
	if a.store == nil {
		events = down{}
	}
	return api.New(api.Config{
		Events: events, Alerts: a.alerts, People: a.people, Inventory: a.inventory.Get, Principal: a.principal,
		Rules: a.ruleList, Sources: a.sourceList, Sinks: a.sinks, Ledger: a.ledgerAPI(), PublicURL: a.cfg.PublicURL,
		Images: a.images(), Retention: a.retention, VerifyDay: a.dayVerification,
		Stopping: stopping,
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

// down is the store of a server that runs without.
type down struct{}

var errDown = fmt.Errorf("%w: the store is down: events are kept in the spool and can be searched when it is back",
	api.ErrUnavailable)

// Events fails.
func (down) Events(context.Context, store.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) { yield(event.Event{}, errDown) }
}

// Stats fails.
func (down) Stats(context.Context, store.Query, ...store.Bucket) iter.Seq2[store.Table, error] {
	return func(yield func(store.Table, error) bool) { yield(store.Table{}, errDown) }
}

// Fields fails.
func (down) Fields(context.Context, store.Query) ([]store.FieldInfo, error) { return nil, errDown }

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
	rows := map[string]*ledger.Row{}
	for _, r := range a.ledger.View().Sources {
		rows[r.Source] = &r
	}
	for _, l := range a.listeners {
		s := api.Source{Name: l.name, Kind: l.kind, Counts: map[string]uint64{}, Balance: rows["listener/"+l.name]}
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
