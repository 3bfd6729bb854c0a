// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/client"
	"github.com/haidang-soc/haidang/internal/backup"
)

type backupCmd struct {
	remote
	To string `arg:"" help:"Folder of the backup: a new one, or one whose backup was cut off."`
}

// Help is shown by --help.
func (backupCmd) Help() string {
	return `Example:
  haidang backup /srv/backup/2026-11-29
  haidang backup --data /var/lib/haidang /srv/backup/2026-11-29
  haidang backup --server https://soc.tinh.example --token-file admin.token /srv/backup/2026-11-29

A running server goes on taking in events: it holds an image of its data still, of which the copy is made. Of a stopped
one the directory is copied. Run again with the same folder it goes on where it was cut off. It holds the hashes of
tokens and everything that was logged: keep it as the data directory itself.`
}

// Run makes the backup.
func (c *backupCmd) Run(s *streams) error {
	id, err := backup.Unfinished(c.To)
	if err != nil {
		return err
	}
	var m *backup.Manifest
	remote, err := c.client()
	if err == nil {
		m, err = c.running(s, remote, id)
	}
	if err != nil && c.Server == "" && client.NotRunning(err) {
		m, err = c.stopped(s)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d files, %s, SHA-256 of each in %s/manifest.json\n", len(m.Files), bytesText(m.Bytes()), c.To)
	return nil
}

// running copies an image that the server holds still.
func (c *backupCmd) running(s *streams, remote *client.Client, id string) (*backup.Manifest, error) {
	image, err := remote.Image(s.ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := backup.Copy(s.ctx, backup.CopyConfig{Image: image, Open: remote.OpenImage(image.ID), To: c.To,
		Progress: bar(s.err, "copying")})
	if err != nil {
		return nil, err
	}
	drop, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Minute)
	defer cancel()
	if err := remote.DropImage(drop, image.ID); err != nil {
		fmt.Fprintf(s.err, "haidang: the backup is complete; the server keeps its image until the next but one: %v\n", err)
	}
	return m, nil
}

// stopped copies the directory of a server that does not run.
func (c *backupCmd) stopped(s *streams) (m *backup.Manifest, err error) {
	image, open, release, err := app.StoppedImage(c.Data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	return backup.Copy(s.ctx, backup.CopyConfig{Image: image, Open: open, To: c.To, Progress: bar(s.err, "copying")})
}

// bar draws how far something is: on a terminal one line that grows, else a line for each tenth.
func bar(w io.Writer, what string) backup.Progress {
	terminal := isTerminal(w)
	start, shown, tenth := time.Now(), time.Time{}, int64(0)
	return func(done, total int64) {
		if total == 0 {
			return
		}
		rate := bytesText(int64(float64(done)/max(time.Since(start).Seconds(), 0.001))) + "/s"
		switch n := done * 10 / total; {
		case terminal && (done == total || time.Since(shown) > 100*time.Millisecond):
			shown = time.Now()
			full := int(done * 30 / total)
			fmt.Fprintf(w, "\r%s %s%s %3d %%  %s of %s  %s ", what, strings.Repeat("█", full),
				strings.Repeat("░", 30-full), done*100/total, bytesText(done), bytesText(total), rate)
			if done == total {
				fmt.Fprintln(w)
			}
		case !terminal && n > tenth:
			tenth = n
			fmt.Fprintf(w, "%s %3d %%  %s of %s  %s\n", what, n*10, bytesText(done), bytesText(total), rate)
		}
	}
}

// bytesText writes a number of bytes for people.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
