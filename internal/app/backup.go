// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
		err = backup.Tree(a.cfg.StoreDir(), to("store"), never)
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
	// What counts what the stream holds may be newer than it, and the log of alerts newer than what was sent of it.
	names := []string{"spool", filepath.Join(streamsDir, spoolStream), "listeners", "outbox"}
	others, err := others(a.cfg.Data)
	if err != nil {
		return err
	}
	for _, name := range append(names, others...) {
		if err := backup.Tree(data(name), to(name), grows(data(name))); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	m.Program, m.Data, m.Incarnation = buildVersion(), format, string(a.spool.Incarnation())
	return nil
}

// others lists what else is in the data directory: the other streams, then whatever is not taken by name, so that
// nothing that is added to the directory is forgotten here.
func others(dir string) (list []string, err error) {
	streams, err := os.ReadDir(filepath.Join(dir, streamsDir))
	for _, e := range streams {
		if e.Name() != spoolStream {
			list = append(list, filepath.Join(streamsDir, e.Name()))
		}
	}
	top, err2 := os.ReadDir(dir)
	for _, e := range top {
		switch e.Name() {
		case "backup", "lock", "api.sock", "ends", "store", "correlator", "jetstream", "spool", "listeners", "outbox":
		default:
			list = append(list, e.Name())
		}
	}
	return list, errors.Join(err, err2)
}

func never(string) bool { return false }

// grows tells which files of a stream, or of another folder, are written in place: all but the blocks before the last.
func grows(stream string) func(path string) bool {
	last := spool.LastBlock(stream)
	return func(path string) bool {
		n, ok := spool.BlockNumber(path)
		return !ok || n >= last
	}
}
