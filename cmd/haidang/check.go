// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/haidang-soc/haidang/internal/app"
)

type checkCmd struct {
	Config string `short:"c" default:"/etc/haidang/haidang.yml" help:"Configuration file."`
}

// Help is shown by --help.
func (checkCmd) Help() string {
	return `Example:
  haidang check --config /etc/haidang/haidang.yml

Reads configuration, inventory, policy and rules as the server would, opens no socket and changes nothing. A mistake is
told with file and line, and the exit status is 1; 3 when only rules were refused.`
}

// Run checks.
func (c checkCmd) Run(s *streams) error {
	report, err := app.Check(s.ctx, c.Config)
	if err != nil {
		return err
	}
	for _, r := range report.Refused {
		fmt.Fprintln(s.err, r.Error())
	}
	fmt.Fprintln(s.out, report.String())
	if len(report.Refused) > 0 {
		return &exitError{status: 3}
	}
	return nil
}
