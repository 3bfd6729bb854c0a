// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/backup"
	"github.com/haidang-soc/haidang/internal/spool"
)

// spoolStream is the stream that the spool keeps its records in.
const spoolStream = "SPOOL"

// streamsDir is where the embedded server keeps the streams, under the data directory.
const streamsDir = "jetstream/$G/streams"

// images are what a running server holds still for haidang backup.
func (a *App) images() *backup.Images {
	return &backup.Images{Dir: filepath.Join(a.cfg.Data, "backup"), Take: a.takeImage}
}

// takeImage copies the data directory as of one moment of the stream. What may be older than that moment is taken
// first (the index, the correlator's state), so that the records behind it are in the image; what may be newer is taken
// last (alerts, audit), while nothing is appended to the spool: what the spool says of them is true in the image.
func (a *App) takeImage(ctx context.Context, dir string, m *backup.Image) error {
	data := func(names ...string) string { return filepath.Join(append([]string{a.cfg.Data}, names...)...) }
	to := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	defer a.spool.Pin()()
	var err error
	if a.store != nil {
		_, err = a.store.Snapshot(ctx, to("store"))
	} else {
		err = backup.Tree(data("store"), to("store"), never)
	}
	if err != nil {
		return err
	}
	if err := backup.Tree(data("correlator"), to("correlator"), never); err != nil {
		return fmt.Errorf("the correlator's state: %w", err)
	}
	_, resume, err := a.spool.Pause()
	if err != nil {
		return err
	}
	defer resume()
	for _, x := range []struct {
		path  string
		grows func(string) bool
	}{
		{"spool", always},
		{filepath.Join(streamsDir, spoolStream), grows(data(streamsDir, spoolStream))},
		{"listeners", always}, {"outbox", always},
		{filepath.Join(streamsDir, alert.Stream), grows(data(streamsDir, alert.Stream))},
		{filepath.Join(streamsDir, "KV_people"), grows(data(streamsDir, "KV_people"))},
	} {
		if err := backup.Tree(data(x.path), to(x.path), x.grows); err != nil {
			return fmt.Errorf("%s: %w", x.path, err)
		}
	}
	for _, name := range []string{"audit.ndjson", "version", manifestFile} {
		if err := backup.CopyFile(data(name), to(name)); err != nil && name != manifestFile {
			return err
		}
	}
	m.Program, m.Data, m.Incarnation = buildVersion(), format, string(a.spool.Incarnation())
	return nil
}

func always(string) bool { return true }
func never(string) bool  { return false }

// grows tells which files of a stream are written in place: all but the blocks before the last.
func grows(stream string) func(path string) bool {
	last := spool.LastBlock(stream)
	return func(path string) bool {
		n, ok := spool.BlockNumber(path)
		return !ok || n >= last
	}
}
