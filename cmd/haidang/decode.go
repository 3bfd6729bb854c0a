// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"time"

	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/decoders"
	"github.com/haidang-soc/haidang/internal/event"
)

type decodeCmd struct {
	JSON      bool     `name:"json" help:"One nested ECS document a line, in order."`
	Now       string   `help:"When the lines came in (RFC 3339): what a time without a year is near to." placeholder:"T"`
	TZ        string   `name:"tz" help:"Zone of times that name none." placeholder:"ZONE" default:"Asia/Ho_Chi_Minh"`
	Encoding  string   `help:"One of ${enum}." default:"utf-8" enum:"utf-8,windows-1258,tcvn3,vni,utf-16"`
	Inventory string   `help:"Inventory to enrich with." type:"existingfile"`
	File      []string `arg:"" optional:"" help:"Files; none reads standard input."`
}

// Help is shown by --help.
func (decodeCmd) Help() string {
	return `Example:
  echo '<38>Nov 24 02:10:00 web sshd[1]: Failed password for root from 203.0.113.9 port 4 ssh2' | haidang decode
  haidang decode --json /var/log/auth.log | jq -r '.event.action'`
}

// Run decodes line by line.
func (c decodeCmd) Run(s *streams) error {
	zone, err := time.LoadLocation(c.TZ)
	if err != nil {
		return misused("--tz: %w", err)
	}
	now := time.Now()
	if c.Now != "" {
		if now, err = time.Parse(time.RFC3339Nano, c.Now); err != nil {
			return misused("--now: %w", err)
		}
	}
	cfg := decoders.RenderConfig{Set: decoders.New(decoders.Config{}), Out: s.out, Now: now, Zone: zone,
		Encoding: c.Encoding, JSON: c.JSON, Colour: isTerminal(s.out)}
	if c.Inventory != "" {
		inv, err := asset.Load(asset.Config{Inventory: c.Inventory})
		if err != nil {
			return err
		}
		cfg.Enrich = func(b *event.Builder, site string) { inv.Enrich(b, site) }
	}
	render := func(name string, in io.Reader) error {
		cfg.Name, cfg.In = name, in
		return decoders.Render(s.ctx, cfg)
	}
	if len(c.File) == 0 {
		err = render("stdin", s.in)
	}
	for _, name := range c.File {
		if err == nil {
			err = withFile(s, name, func(f io.Reader) error { return render(name, f) })
		}
	}
	return err
}

// withFile opens a file; "-" is standard input.
func withFile(s *streams, name string, use func(io.Reader) error) error {
	if name == "-" {
		return use(s.in)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return use(f)
}

// isTerminal reports whether a person reads w as it is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
