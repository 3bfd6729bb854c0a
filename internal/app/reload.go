// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/asset"
)

// Reload reads inventory, policy and rules anew, and switches the correlator where the stream stands. On an error
// everything stays as it was. What the configuration says of sockets, sinks and limits needs a restart.
func (a *App) Reload(ctx context.Context) ([]sigma.Refusal, error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	cfg := a.cfg
	if a.opt.Load != nil {
		c, err := a.opt.Load()
		if err != nil {
			return nil, fmt.Errorf("reload: %w", err)
		}
		cfg = c
	}
	source := AssetConfig(cfg)
	source.Relays = relayNetworks(a.cfg) // with the sockets: what else asks for the relays keeps them until a restart
	inv, err := asset.File{Config: source}.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("reload: %w", err)
	}
	name, refused, err := a.setups.load(cfg, inv)
	if err != nil {
		return refused, fmt.Errorf("reload: %w", err)
	}
	if _, err := a.spool.Control(ctx, switchTo{name}); err != nil {
		return refused, fmt.Errorf("reload: telling the correlator: %w", err)
	}
	a.setups.use(name)
	a.inventory.Store(inv)
	a.tellRefused(refused)
	a.log.Info("reloaded", "setup", name, "inventory", inv.Version(), "refused_rules", len(refused))
	return refused, nil
}

func (a *App) tellRefused(list []sigma.Refusal) {
	for _, r := range list {
		a.log.Warn("a rule was refused; the others run", "error", r)
	}
}
