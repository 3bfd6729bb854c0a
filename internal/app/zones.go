// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/safefile"
	"github.com/haidang-soc/haidang/internal/spool"
)

// zoneRow is a sender found to be in another time zone than configured, as a line of the file zones. It is kept so that
// after a restart its first lines are not read in the wrong zone again.
type zoneRow struct {
	decoders.Sender
	Offset int `json:"offset"` // seconds east of Greenwich
}

// sourceZones is the source of the events that state what was guessed.
const sourceZones = "zones"

// zoneDecisions wait to be stated.
type zoneDecisions struct {
	mu   sync.Mutex
	list []decoders.Decision
	some chan struct{}

	batch *event.Batch // that states the first n of them and is not known to be safe; of the one goroutine that writes
	n     int
}

func (z *zoneDecisions) add(d decoders.Decision) {
	z.mu.Lock()
	z.list = append(z.list, d)
	z.mu.Unlock()
	select {
	case z.some <- struct{}{}:
	default: // that there are some is known
	}
}

// waiting are the decisions that wait; done forgets the first n of them.
func (z *zoneDecisions) waiting() []decoders.Decision {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.list[:len(z.list):len(z.list)]
}

func (z *zoneDecisions) done(n int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.list = z.list[n:]
}

func (a *App) zonesFile() string { return filepath.Join(a.cfg.Data, "zones") }

// newZones returns the guesser of time zones, with what the last run knew.
func (a *App) newZones(o *origins) *decoders.Zones {
	a.zones.some = make(chan struct{}, 1)
	known := map[decoders.Sender]int{}
	data, err := os.ReadFile(a.zonesFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Warn("the time zones that were guessed cannot be read; they are guessed anew", "error", err)
	}
	for line := range bytes.Lines(data) {
		var row zoneRow
		if err := json.Unmarshal(line, &row); err != nil {
			a.log.Warn("a time zone that was guessed cannot be read; it is guessed anew", "file", a.zonesFile(), "error", err)
			continue
		}
		if !o.fixed(row.Peer) {
			known[row.Sender] = row.Offset
		}
	}
	return decoders.NewZones(decoders.ZonesConfig{Fixed: o.fixed, Relay: a.relays, Known: known, Decided: a.zones.add})
}

// keepZones states every decision in the stream and then saves it, until ctx is done: a process that is killed between
// the two decides again, and states it again.
func (a *App) keepZones(ctx context.Context) error {
	for {
		select {
		case <-a.zones.some:
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := a.stateZones(end); err != nil { // what was under way
				return err
			}
			return a.stateZones(end)
		}
		if err := a.stateZones(ctx); err != nil {
			return err
		}
	}
}

// stateZones writes the event of each decision that waits.
func (a *App) stateZones(ctx context.Context) error {
	z := &a.zones
	if z.batch == nil {
		list := z.waiting()
		if len(list) == 0 {
			return nil
		}
		at := spool.Ack{Source: sourceZones, Epoch: 1}
		if k, ok := a.spool.Known(sourceZones); ok {
			at = k
		}
		b := event.NewBuilder(sourceZones, at.Epoch)
		for i := range list {
			stateZone(b, at.Last+uint64(i), &list[i])
		}
		z.batch, z.n = b.Batch(at.Last, at.Last+uint64(len(list))), len(list)
	}
	// The same batch until it is safe: the spool stores it once.
	if err := a.insist(ctx, "the spool", func() error { return a.intake.Write(ctx, z.batch) }); err != nil {
		if ctx.Err() != nil {
			return nil // tried once more at the end; else the next process decides it anew
		}
		return err
	}
	z.done(z.n)
	z.batch = nil
	a.saveZones()
	return nil
}

// stateZone builds the event of a decision.
func stateZone(b *event.Builder, unit uint64, d *decoders.Decision) {
	b.Begin(unit, 0)
	now := d.Received.UnixNano()
	b.Time(event.Timestamp, now)
	b.Time(event.EventCreated, now)
	b.Str(event.EventKind, "event")
	b.Str(event.EventModule, "haidang")
	b.Str(event.EventDataset, "haidang.zone")
	b.Str(event.EventAction, "zone-guessed")
	b.Str(event.EventTimezone, d.Zone())
	b.Str(event.AgentID, d.Sender.Agent)
	b.Str(event.HostName, d.Host)
	b.Str(event.HaidangSite, d.Sender.Site)
	b.Str(event.HaidangListener, d.Listener)
	if d.Sender.Peer.IsValid() {
		b.IPs(event.ObserverIP, d.Sender.Peer)
	}
	b.Str(event.Message, d.Text())
	b.End()
}

// saveZones writes the file.
func (a *App) saveZones() {
	guesses := a.decode.Zones.Guesses()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for s, offset := range guesses {
		if err := enc.Encode(zoneRow{s, offset}); err != nil {
			a.log.Warn("a guessed time zone cannot be saved", "error", err)
		}
	}
	if err := safefile.Write(a.zonesFile(), out.Bytes(), 0o600); err != nil {
		a.log.Warn("guessed time zones were not saved: they are guessed anew after a restart", "error", err)
		return
	}
	a.log.Info("the time zone of a sender was guessed; search for event.dataset:haidang.zone", "elsewhere", len(guesses))
}
