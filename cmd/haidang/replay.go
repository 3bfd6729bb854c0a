// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/offline"
	"github.com/haidang-soc/haidang/internal/asset"
)

type replayCmd struct {
	Config    string   `short:"c" help:"Configuration: inventory, policy, rules, time zone." placeholder:"F"`
	Inventory string   `help:"Inventory file, over that of --config." placeholder:"F"`
	Policy    string   `help:"Policy file, over that of --config." placeholder:"F"`
	Rules     []string `help:"Rule files or folders, in place of the built-in rules." placeholder:"PATH"`
	Site      string   `help:"Site that the addresses belong to."`
	TZ        string   `name:"tz" help:"Zone of lines that name none." placeholder:"ZONE"`
	Updates   bool     `help:"Print every update of an alert, not only its last."`
	File      []string `arg:"" help:"Log files, pcap files, or folders of .bin export datagrams."`
}

// Help is shown by --help.
func (replayCmd) Help() string {
	return `Example:
  haidang replay --inventory inventory.yml /var/log/auth.log.1 /var/log/nginx/access.log
  haidang replay --rules my-rule.yml --updates attack.log | jq -r '.rule.name'

Time is that of the events: the same files give the same alerts. No server is needed.`
}

// Run replays.
func (c replayCmd) Run(s *streams) error {
	cfg := config.Default()
	if c.Config != "" {
		var err error
		if cfg, err = config.Load(c.Config); err != nil {
			return err
		}
	}
	if c.Inventory != "" {
		cfg.Inventory = c.Inventory
	}
	if c.Policy != "" {
		cfg.Policy = c.Policy
	}
	if len(c.Rules) > 0 {
		cfg.Rules, cfg.BuiltinRules = c.Rules, false
	}
	if c.TZ != "" {
		cfg.TimeZone = c.TZ
	}
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return misused("--tz: %w", err)
	}
	inv, err := asset.Load(app.AssetConfig(cfg))
	if err != nil {
		return err
	}
	rules, refused, err := app.LoadRules(cfg.BuiltinRules, cfg.Rules...)
	if err != nil {
		return err
	}
	for _, r := range refused {
		fmt.Fprintln(s.err, r.Error())
	}
	out := bufio.NewWriter(s.out)
	start := time.Now()
	stats, err := offline.Replay(s.ctx, offline.Config{Rules: rules, Inventory: inv, Zone: zone, Site: c.Site,
		Relays: app.Relays(cfg), Updates: c.Updates, Problem: func(err error) { fmt.Fprintln(s.err, err) }}, out, c.File...)
	if e := out.Flush(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if stats.Events == 0 {
		fmt.Fprintln(s.err, "no events")
		return nil
	}
	fmt.Fprintf(s.err, "%d events from %s to %s, %d alerts, in %s\n", stats.Events, stats.First.Format(time.DateTime),
		stats.Cut.Format(time.DateTime), stats.Alerts, time.Since(start).Round(time.Millisecond))
	return nil
}
