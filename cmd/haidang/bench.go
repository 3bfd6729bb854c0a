// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/haidang-soc/haidang/internal/app/bench"
)

type benchCmd struct {
	Load     benchLoadCmd     `cmd:"" default:"withargs" help:"Events a second through the whole server (the default)."`
	Search   benchSearchCmd   `cmd:"" help:"Searches in a local index of many events."`
	Generate benchGenerateCmd `cmd:"" hidden:"" help:"The generator of load."`
}

// Help is shown by --help.
func (benchCmd) Help() string {
	return `Example:
  haidang bench --rate 60000 --seconds 60
  haidang bench search --events 1000000`
}

type benchLoadCmd struct {
	Rate    int      `default:"20000" help:"Events a second, lines and flows together."`
	Seconds int      `default:"20" help:"For how long."`
	Flows   float64  `default:"0.2" help:"Share of flows."`
	Rules   []string `help:"Rules beside the built-in ones." placeholder:"PATH"`
	Data    string   `help:"Data directory; without it a temporary one, removed at the end."`
	Seed    uint64   `default:"1" help:"Of the lines."`
	Heap    string   `help:"Write a heap profile of the server under load." placeholder:"FILE"`
	Profile string   `help:"Write a CPU profile of the server for go tool pprof." placeholder:"FILE"`
}

// Help is shown by --help.
func (benchLoadCmd) Help() string {
	return `Example:
  haidang bench --rate 60000 --seconds 60

A server and, in a process of its own, a generator: 22 shapes of real lines over TCP octet-counted syslog, flows as
NetFlow v9, 10,000 hosts. What is found by search must equal what was sent.`
}

// Run measures.
func (c benchLoadCmd) Run(s *streams) error {
	if c.Rate < 1 || c.Seconds < 1 || c.Flows < 0 || c.Flows > 1 {
		return misused("--rate and --seconds are at least 1, --flows is between 0 and 1")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := bench.Config{Out: s.out, Program: self, Rate: c.Rate, Seconds: c.Seconds, Flows: c.Flows, Rules: c.Rules,
		Data: c.Data, Seed: c.Seed, Heap: c.Heap, Log: newLog(s, "warn")}
	if isTerminal(s.err) {
		cfg.Progress = func(done, total uint64) { fmt.Fprintf(s.err, "\r%d/%d\x1b[K", done, total) }
	}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
	}
	rep, err := bench.Run(s.ctx, cfg)
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	if cfg.Progress != nil {
		fmt.Fprint(s.err, "\r\x1b[K")
	}
	if err := rep.Print(s.out); err != nil {
		return err
	}
	if int(rep.Found) != rep.Sent.Lines+rep.Sent.Flows {
		return &exitError{status: 1}
	}
	return nil
}

type benchGenerateCmd struct {
	Rate    int
	Events  int
	Flows   float64
	Syslog  string
	Netflow string
	Seed    uint64
}

// Run sends.
func (c benchGenerateCmd) Run(s *streams) error {
	return bench.Generate(s.ctx, bench.Load{Syslog: c.Syslog, Netflow: c.Netflow, Rate: c.Rate, Events: c.Events,
		Flows: c.Flows, Seed: c.Seed}, s.out)
}

type benchSearchCmd struct {
	Events int    `default:"1000000" help:"How many events the index holds."`
	Rounds int    `default:"15" help:"How often each search is run."`
	Data   string `help:"Directory of an index that is kept and used again; without it a temporary one."`
	Seed   uint64 `default:"1" help:"Of the lines."`
}

// Help is shown by --help.
func (benchSearchCmd) Help() string {
	return `Example:
  haidang bench search --events 10000000 --data /var/tmp/index`
}

// Run measures searches.
func (c benchSearchCmd) Run(s *streams) error {
	cfg := bench.SearchConfig{Events: c.Events, Rounds: c.Rounds, Data: c.Data, Seed: c.Seed}
	if isTerminal(s.err) {
		cfg.Progress = func(done, total uint64) { fmt.Fprintf(s.err, "\r%d/%d events\x1b[K", done, total) }
	}
	rep, err := bench.RunSearch(s.ctx, cfg)
	if err != nil {
		return err
	}
	if cfg.Progress != nil {
		fmt.Fprint(s.err, "\r\x1b[K")
	}
	return rep.Print(s.out)
}
