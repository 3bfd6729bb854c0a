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

	"github.com/haidang-soc/haidang/internal/decoders"
)

// zoneRow is a sender found to be in another time zone than configured, as a line of the file zones. It is kept so that
// after a restart its first lines are not read in the wrong zone again.
type zoneRow struct {
	decoders.Sender
	Offset int `json:"offset"` // seconds east of Greenwich
}

func (a *App) zonesFile() string { return filepath.Join(a.cfg.Data, "zones") }

// newZones returns the guesser of time zones, with what the last run knew.
func (a *App) newZones(o *origins) *decoders.Zones {
	a.zonesChanged = make(chan struct{}, 1)
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
	return decoders.NewZones(decoders.ZonesConfig{Fixed: o.fixed, Relay: a.relays, Known: known,
		Decided: func(decoders.Sender, int, bool) {
			select {
			case a.zonesChanged <- struct{}{}:
			default: // it is known already that there is something to save
			}
		}})
}

// keepZones saves what is guessed, until ctx is done.
func (a *App) keepZones(ctx context.Context) error {
	save := func() {
		guesses := a.decode.Zones.Guesses()
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		for s, offset := range guesses {
			if err := enc.Encode(zoneRow{s, offset}); err != nil {
				a.log.Warn("a guessed time zone cannot be saved", "error", err)
			}
		}
		if err := writeFile(a.zonesFile(), out.String()); err != nil {
			a.log.Warn("guessed time zones were not saved: they are guessed anew after a restart", "error", err)
			return
		}
		a.log.Info("the time zone of a sender was guessed; search for event.dataset:haidang.zone", "elsewhere", len(guesses))
	}
	for {
		select {
		case <-a.zonesChanged:
			save()
		case <-ctx.Done():
			select {
			case <-a.zonesChanged:
				save()
			default:
			}
			return nil
		}
	}
}
