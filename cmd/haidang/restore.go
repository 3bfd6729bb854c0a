// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/haidang-soc/haidang/internal/app"
)

type restoreCmd struct {
	From string `arg:"" help:"Folder of the backup."`
	Data string `required:"" env:"HAIDANG_DATA" help:"Data directory: empty, or not there yet." placeholder:"DIR"`
}

// Help is shown by --help.
func (restoreCmd) Help() string {
	return `Example:
  haidang restore /srv/backup/2026-11-29 --data /var/lib/haidang

Every byte is compared with its SHA-256 before anything is written. The stream gets another incarnation: readers that
followed the original (another server's index, a copy) refuse this one by name, and begin anew.`
}

// Run restores.
func (c *restoreCmd) Run(s *streams) error {
	r, err := app.Restore(s.ctx, app.RestoreConfig{From: c.From, To: c.Data, Verifying: bar(s.err, "verifying"),
		Copying: bar(s.err, "restoring")})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d files of %s, made by haidang %s\nspool %s is now %s\n", len(r.Manifest.Files),
		r.Manifest.Made.Local().Format("2006-01-02 15:04:05"), r.Manifest.Program, r.Was, r.Now)
	return nil
}
