// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/haidang-soc/haidang/correlator/ruletest"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/app/offline"
)

type rulesCmd struct {
	Test rulesTestCmd `cmd:"" help:"Run the tests that stand beside rules (x_test.yml)."`
	Eval rulesEvalCmd `cmd:"" help:"Evaluate rules over events, NDJSON in and out."`
}

// Help is shown by --help.
func (rulesCmd) Help() string {
	return `Example:
  haidang rules test rules/
  haidang rules eval --rules rules/linux events.ndjson`
}

type rulesTestCmd struct {
	Inventory string   `help:"Inventory in place of those that the tests name." placeholder:"F"`
	Policy    string   `help:"Policy in place of the built-in one." placeholder:"F"`
	Run_      string   `name:"run" help:"Only tests whose name contains this." placeholder:"TEXT"`
	Path      []string `arg:"" help:"Test files, or folders of them."`
}

// Run prints what failed; a failing test is exit status 1.
func (c rulesTestCmd) Run(s *streams) error {
	report, err := ruletest.Run(s.ctx, c.Path, ruletest.Options{Inventory: c.Inventory, Policy: c.Policy,
		Filter: c.Run_})
	if err != nil {
		return err
	}
	for _, f := range report.Failures {
		fmt.Fprintln(s.out, f.Error())
	}
	fmt.Fprintf(s.out, "%d passed, %d failed\n", report.Tests-len(report.Failures), len(report.Failures))
	if len(report.Failures) > 0 {
		return &exitError{status: 1}
	}
	return nil
}

type rulesEvalCmd struct {
	Rules []string `required:"" help:"Rule files or folders." placeholder:"PATH"`
	File  []string `arg:"" optional:"" help:"Files of events, one JSON document each line; none reads standard input."`
}

// Run prints {"rule": id, "event": n}, ordered by event, then rule; refused rules go to stderr and make it exit 3.
func (c rulesEvalCmd) Run(s *streams) error {
	rules, err := sigma.Load(c.Rules...)
	if err != nil {
		return err
	}
	var inputs []offline.Input
	for _, name := range c.File {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		inputs = append(inputs, offline.Input{Name: name, Reader: f})
	}
	if len(c.File) == 0 {
		inputs = append(inputs, offline.Input{Name: "stdin", Reader: s.in})
	}
	out := bufio.NewWriter(s.out)
	refused, err := offline.Eval(s.ctx, rules, inputs, out, func(err error) { fmt.Fprintln(s.err, err) })
	if e := out.Flush(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	for _, r := range refused {
		fmt.Fprintln(s.err, r.Error())
	}
	if len(refused) > 0 {
		return &exitError{status: 3}
	}
	return nil
}
