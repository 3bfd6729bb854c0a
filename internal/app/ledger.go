// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/dashboards/console/api"
	"github.com/haidang-soc/haidang/internal/ledger"
	"github.com/haidang-soc/haidang/internal/spool"
)

// openLedger opens the book and puts its counters between the stages.
func (a *App) openLedger() (err error) {
	c := ledger.Config{Dir: filepath.Join(a.cfg.Data, "ledger"), Known: a.spool.Sources(),
		StreamFrom: a.engine.Cursor(), Listeners: a.listenerCounts, Log: a.log,
		Now: func() time.Time { return time.Unix(0, a.wall()) },
		End: func() ledger.Place {
			return ledger.Place{Incarnation: a.spool.Incarnation(), Seq: a.spool.End().Seq(0)}
		}}
	if a.store != nil {
		c.StoreFrom = a.store.Cursor()
	}
	if a.ledger, err = ledger.Open(c); err != nil {
		return err
	}
	a.decode.Next = a.ledger.Tap(a.spool)
	a.intake = a.ledger.Intake(a.decode)
	if a.store != nil {
		a.booked = a.ledger.Appender(a.store, func() ledger.StoreCounts {
			n := a.store.Counts()
			return ledger.StoreCounts{Kept: n.Stored + n.Skipped, Expired: n.Expired}
		})
	}
	return nil
}

// keepLedger evaluates the book, and says in the stream what it finds.
func (a *App) keepLedger(ctx context.Context) error {
	return a.ledger.Run(ctx, a.intake, func() (spool.Ack, bool) { return a.spool.Known(ledger.Source) })
}

// listenerCounts are what the listeners count about themselves.
func (a *App) listenerCounts() (list []ledger.Listener) {
	for _, l := range a.listeners {
		x := ledger.Listener{Source: "listener/" + l.name, Kind: l.kind, Counts: map[string]uint64{}}
		for _, c := range l.stats() {
			name, sum := strings.CutSuffix(c.name, "_total")
			if !sum {
				continue // a gauge
			}
			if c.reason != "" {
				name += "." + c.reason
			}
			x.Counts[name] = c.value
		}
		list = append(list, x)
	}
	return list
}

// ledgerAPI is what the API says of the ledger.
func (a *App) ledgerAPI() api.Ledger {
	return api.Ledger{View: a.ledger.View, Origins: a.originList, Adopt: a.adopt}
}

// originList are the senders, with the system that the inventory in use says they belong to.
func (a *App) originList() []ledger.Origin {
	inv := a.inventory.Get()
	list := a.ledger.Origins()
	for i := range list {
		o := &list[i]
		addr, err := netip.ParseAddr(o.Address)
		if err != nil {
			continue // nobody sent it
		}
		if m := inv.Speaker(o.Site, addr, o.Host); m.System != nil {
			o.System = m.System.ID
		} else {
			o.Unknown = true
		}
	}
	return list
}

// adopt adds an address to the inventory file and puts the new inventory in use.
func (a *App) adopt(ctx context.Context, x ledger.Adoption) error {
	if err := ledger.Adopt(AssetConfig(a.cfg), x); err != nil {
		return err
	}
	if _, err := a.Reload(ctx); err != nil {
		return fmt.Errorf("%s is in the inventory file, but it is not in use yet: %w", x.Address, err)
	}
	a.log.Info("an address was taken into the inventory", "address", x.Address, "site", x.Site, "system", x.System)
	return nil
}

// maxLedgerMetrics is how many sources have metrics of their own; haidang ledger shows all.
const maxLedgerMetrics = 1000

// ledgerMetrics are the balance by source and hop.
func (a *App) ledgerMetrics(count func(name, help string, v uint64, labels ...string),
	gauge func(name, help string, v float64, labels ...string)) {
	v := a.ledger.View()
	balanced := 0.0
	if v.Balanced {
		balanced = 1
	}
	gauge("ledger_balanced", "1 when in is out plus explained at every hop.", balanced)
	gauge("ledger_origins", "Senders that have a row.", float64(v.Origins))
	count("ledger_surplus_total", "Events of senders that found no row of their own.", v.Surplus)
	for _, s := range v.Stages {
		gauge("ledger_lag_records", "Records that a reader is behind.", float64(s.Lag), "reader", s.Name)
	}
	for i := range min(len(v.Sources), maxLedgerMetrics) {
		r := &v.Sources[i]
		if !utf8.ValidString(r.Source) { // no label; haidang ledger has it
			continue
		}
		for state, n := range map[string]uint64{"accepted": r.Accepted, "known": r.Known, "cut": r.Cut,
			"undecoded": r.Undecoded, "errors": r.Errors, "written": r.Written, "read": r.Read, "given": r.Given,
			"stored": r.Stored, "expired": r.Expired, "dead": r.Dead} {
			count("ledger_events_total", "Events of a source, by what became of them.", n, "source", r.Source, "state", state)
		}
		count("ledger_declared_drop_units_total", "Units that a source declared dropped.", r.DropUnits, "source", r.Source)
		for _, t := range r.Troubles {
			gauge("ledger_missing", "Events missing at a hop; negative: too many.", float64(t.Count), "source", r.Source,
				"hop", t.Hop)
		}
	}
}
