// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/asset"
)

// Report is what Check found.
type Report struct {
	Config    *config.Config
	Inventory *asset.Inventory
	Rules     int
	Refused   []sigma.Refusal
}

// Check reads everything the server would read at start: configuration, inventory, policy, rules, and what it knows of
// sinks. It opens no socket and changes nothing. The error lists every mistake, each with file and line.
func Check(ctx context.Context, path string) (*Report, error) {
	c, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	r := &Report{Config: c}
	inv, err := asset.File{Config: AssetConfig(c)}.Load(ctx)
	set, refused, rulesErr := LoadRules(c.BuiltinRules, c.Rules...)
	_, sinksErr := newTargets(c)
	if err = errors.Join(err, rulesErr, sinksErr); err != nil {
		return nil, err
	}
	r.Inventory, r.Rules, r.Refused = inv, set.Len(), refused
	return r, nil
}

// AssetConfig is what a configuration says of inventory and policy. A server without an inventory has no system, but
// may have a policy.
func AssetConfig(c *config.Config) asset.Config {
	return asset.Config{Inventory: c.Inventory, Policy: c.Policy, Relays: relayNetworks(c)}
}

// String is what `haidang check` prints.
func (r *Report) String() string {
	var b strings.Builder
	byLevel := [6]int{}
	for _, s := range r.Inventory.Systems() {
		byLevel[min(s.Effective, 5)]++
	}
	fmt.Fprintf(&b, "data directory  %s\n", r.Config.Data)
	fmt.Fprintf(&b, "http            %s\n", r.Config.HTTP.Listen)
	for _, c := range r.Config.Collectors {
		switch {
		case c.Syslog != nil:
			fmt.Fprintf(&b, "syslog          %s %s (%s)\n", c.Syslog.Protocol, c.Syslog.Listen, c.Syslog.Name)
		case c.Netflow != nil:
			fmt.Fprintf(&b, "netflow         udp %s (%s)\n", c.Netflow.Listen, c.Netflow.Name)
		}
	}
	fmt.Fprintf(&b, "inventory       %d systems", len(r.Inventory.Systems()))
	for level := 5; level > 0; level-- {
		if byLevel[level] > 0 {
			fmt.Fprintf(&b, ", %d of level %d", byLevel[level], level)
		}
	}
	fmt.Fprintf(&b, "\nrules           %d, %d refused\nsinks           %d", r.Rules, len(r.Refused), len(r.Config.Sinks))
	return b.String()
}
