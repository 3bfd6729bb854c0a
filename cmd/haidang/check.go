// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/haidang-soc/haidang/dashboards/console/api"
	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/client"
)

type checkCmd struct {
	Config string `short:"c" default:"/etc/haidang/haidang.yml" help:"Configuration file."`
	Data   string `help:"Check the data directory of a stopped server instead." placeholder:"DIR"`
}

// Help is shown by --help.
func (checkCmd) Help() string {
	return `Example:
  haidang check --config /etc/haidang/haidang.yml
  haidang check --data /var/lib/haidang

Reads configuration, inventory, policy and rules as the server would, opens no socket and changes nothing. A mistake is
told with file and line, and the exit status is 1; 3 when only rules were refused.

Where the server runs, it also tells how many days the disk will do at the rate of the last week, for each retention
class.

With --data it reads everything that a stopped server keeps and changes nothing: checksums, chains, places. What is
wrong is told with its cure, and the exit status is 1.`
}

// Run checks.
func (c checkCmd) Run(s *streams) error {
	if c.Data != "" {
		return c.inspect(s)
	}
	report, err := app.Check(s.ctx, c.Config)
	if err != nil {
		return err
	}
	for _, r := range report.Refused {
		fmt.Fprintln(s.err, r.Error())
	}
	fmt.Fprintln(s.out, report.String())
	showRetention(s, report.Config.Data)
	if len(report.Refused) > 0 {
		return &exitError{status: 3}
	}
	return nil
}

// inspect checks a data directory.
func (c checkCmd) inspect(s *streams) error {
	x, err := app.Inspect(s.ctx, c.Data)
	if err != nil {
		return err
	}
	for _, line := range x.Counted {
		fmt.Fprintln(s.out, line)
	}
	for _, f := range x.Findings {
		fmt.Fprintf(s.out, "%s: %s\n    cure: %s\n", f.Path, f.What, f.Cure)
	}
	if len(x.Findings) > 0 {
		return &exitError{1, fmt.Errorf("%d findings", len(x.Findings))}
	}
	fmt.Fprintln(s.out, "nothing is wrong")
	return nil
}

// showRetention tells how long the disk will do, where a server runs on the data directory.
func showRetention(s *streams, data string) {
	remote, err := client.New(client.Config{Data: data})
	if err != nil {
		return
	}
	var r api.Retention
	if err := remote.Do(s.ctx, "GET", "/retention", nil, &r); err != nil {
		if !client.NotRunning(err) {
			fmt.Fprintln(s.err, "haidang: retention:", err)
		}
		return
	}
	fmt.Fprintf(s.out, "disk            %s free beyond the reserve\n", bytesText(r.Free))
	for _, c := range r.Classes {
		left := fmt.Sprintf("%d days left", c.DaysLeft)
		if c.Fits {
			left = "fits"
		}
		fmt.Fprintf(s.out, "  %3d days      %s since %s, %s a day: %s\n", c.Class, bytesText(c.Bytes), c.Oldest,
			bytesText(c.PerDay), left)
	}
}
