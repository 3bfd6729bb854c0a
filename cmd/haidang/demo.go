// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/haidang-soc/haidang/internal/app/demo"
)

type demoCmd struct {
	Data   string  `help:"Data directory; without it a temporary one, removed at the end."`
	Listen string  `help:"Address of the HTTP API." placeholder:"127.0.0.1:8514"`
	Speed  float64 `default:"20" help:"How many times faster than it happened the night is told."`
	Once   bool    `help:"Stop when the night is over."`
	Seed   uint64  `default:"1" help:"Of the ordinary traffic."`
}

// Help is shown by --help.
func (demoCmd) Help() string {
	return `Example:
  haidang demo
  haidang demo --once --speed 40

A server of its own, the sample province, and the night of a national holiday sent to it through real sockets.`
}

// Run tells the night.
func (c demoCmd) Run(s *streams) error {
	if c.Speed < 1 || c.Speed > 60 {
		return misused("--speed: %g is not between 1 and 60", c.Speed)
	}
	return demo.Run(s.ctx, demo.Config{Out: s.out, Program: os.Args[0], Colour: isTerminal(s.out), Data: c.Data,
		Listen: c.Listen, Speed: c.Speed, Once: c.Once, Seed: c.Seed, Log: newLog(s, "error")})
}
