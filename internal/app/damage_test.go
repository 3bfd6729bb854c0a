// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app/client"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/parent"
	"github.com/haidang-soc/haidang/internal/app/sockets"
)

// lived is a data directory in which a server has lived a while.
func lived(t *testing.T) (dir, yaml string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	yaml = fmt.Sprintf(backupConfig, writeRule(t, testRule))
	a, stop := startIn(t, dir, yaml)
	a.spool.Pin() // what was read stays, for tests that begin anew
	loaded := load(t, a)
	eventually(t, "events, alerts and checkpoints", func() bool {
		head, _ := a.alerts.Head()
		files, _ := filepath.Glob(filepath.Join(dir, "correlator", "full-*"))
		return a.store.Counts().Stored > 1500 && head > 2 && len(files) == 2
	})
	loaded()
	stop()
	return dir, yaml
}

// damaged is a copy of a data directory with a byte of a file flipped: in its middle, or at the place given.
func damaged(t *testing.T, dir, pattern string, at func(size int64) int64) (copied, path string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(copied, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s (%v)", pattern, err)
	}
	path = files[len(files)-1]
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, path, at(info.Size()))
	return copied, path
}

func middle(size int64) int64 { return size / 2 }

// inspect checks a directory and returns the findings about a path, which there must be.
func inspect(t *testing.T, dir, path string) (list []Finding) {
	t.Helper()
	x, err := Inspect(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	rel, _ := filepath.Rel(dir, path)
	for _, f := range x.Findings {
		t.Logf("%s: %s\n    cure: %s", f.Path, f.What, f.Cure)
		if strings.HasPrefix(rel, f.Path) && f.Cure != "" {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		t.Errorf("nothing found about %s: %v", rel, x.Findings)
	}
	return list
}

// TestKillDamage flips a byte in each kind of file: check names it, and the server survives what it can.
func TestKillDamage(t *testing.T) {
	dir, yaml := lived(t)
	x, err := Inspect(t.Context(), dir)
	if err != nil || len(x.Findings) > 0 {
		t.Fatalf("a directory in order: %v %v", x, err)
	}
	t.Run("newest checkpoint", func(t *testing.T) {
		dir, path := damaged(t, dir, "correlator/full-*", middle)
		inspect(t, dir, path)
		a, _ := startIn(t, dir, yaml)
		eventually(t, "the correlator to catch up from the older one", func() bool {
			p := a.Progress()
			return p.Correlated > 0 && p.Lag() < 5
		})
		if n, _, err := a.alerts.Verify(t.Context()); err != nil || n < 3 {
			t.Errorf("%d alerts: %v", n, err)
		}
	})
	t.Run("alert entry", func(t *testing.T) {
		dir, path := damaged(t, dir, streamsDir+"/ALERTS/msgs/*.blk", func(int64) int64 { return 120 })
		inspect(t, dir, path)
		a, _ := startIn(t, dir, yaml)
		eventually(t, "the correlator to go on", func() bool { return a.Progress().Correlated > 0 })
		broken := a.alerts.Broken()
		if broken == nil {
			t.Error("the server does not report that the chain is broken")
		}
		t.Log(broken)
	})
	t.Run("spool block that every reader has passed", func(t *testing.T) {
		dir, _ := damaged(t, dir, streamsDir+"/SPOOL/msgs/*.blk", middle)
		a, _ := startIn(t, dir, yaml)
		before := a.store.Counts().Stored
		loaded := load(t, a)
		eventually(t, "new events to be indexed and correlated", func() bool {
			p := a.Progress()
			return a.store.Counts().Stored > before+500 && p.Correlated > 0 && p.Lag() < 20
		})
		loaded()
	})
	t.Run("spool block that a reader needs", func(t *testing.T) {
		dir, path := damaged(t, dir, streamsDir+"/SPOOL/msgs/*.blk", middle)
		for _, name := range []string{"store", "correlator", "spool/SPOOL.readers"} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		inspect(t, dir, path)
		a, _ := startIn(t, dir, yaml)
		loaded := load(t, a)
		defer loaded()
		eventually(t, "index and correlator to pass the damage", func() bool {
			p := a.Progress()
			return p.Indexed > 0 && p.Correlated > 0 && p.Lag() < 20
		})
		if n := a.spool.Stats().Damaged; n != 1 {
			t.Errorf("%d records are said to be damaged", n)
		}
	})
	t.Run("ranges", func(t *testing.T) {
		dir, path := damaged(t, dir, "spool/SPOOL.ranges", middle)
		inspect(t, dir, path)
		a, _ := startIn(t, dir, yaml)
		eventually(t, "the correlator to go on", func() bool { return a.Progress().Correlated > 0 })
	})
	t.Run("index", func(t *testing.T) {
		dir, path := damaged(t, dir, "store/r365/partitions/*/datadb/*/metadata.json", func(int64) int64 { return 0 })
		inspect(t, dir, path)
		day := filepath.Dir(filepath.Dir(filepath.Dir(path))) // the cure
		if err := os.Rename(day, filepath.Join(t.TempDir(), "day")); err != nil {
			t.Fatal(err)
		}
		a, _ := startIn(t, dir, yaml)
		eventually(t, "the correlator to go on", func() bool { return a.Progress().Correlated > 0 })
	})
}

// TestKillUnreadableIndex: an index that the library cannot open ends the process again and again; the fourth start goes
// without it, collects and correlates, and says so.
func TestKillUnreadableIndex(t *testing.T) {
	if data := os.Getenv("HAIDANG_TEST_SERVE"); data != "" {
		serveChild(t, data)
		return
	}
	if testing.Short() {
		t.Skip("it starts processes")
	}
	dir, _ := lived(t)
	dir, _ = damaged(t, dir, "store/r365/partitions/*/datadb/*/metadata.json", func(int64) int64 { return 0 })
	t.Setenv("HAIDANG_TEST_SERVE", dir)
	set, err := sockets.Inherited()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- parent.Run(ctx, parent.Config{Path: os.Args[0], Args: []string{"-test.run=^TestKillUnreadableIndex$"},
			Sockets: set, Ends: filepath.Join(dir, "ends"), Degraded: "store-down", Pause: 10 * time.Millisecond,
			Log: slog.New(slog.NewTextHandler(testWriter{t}, nil)), Stdout: os.Stdout, Stderr: nil})
	}()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	var ready readiness
	eventually(t, "the server without its index", func() bool {
		remote, err := client.New(client.Config{Data: dir})
		if err != nil {
			return false
		}
		data, err := remote.Raw(t.Context(), http.MethodGet, "/readyz")
		return err == nil && json.Unmarshal(data, &ready) == nil && len(ready.Problems) > 0
	})
	if !slices.ContainsFunc(ready.Problems, func(p string) bool { return strings.Contains(p, "the store is down") }) {
		t.Errorf("problems: %v", ready.Problems)
	}
}

// serveChild is the server in a process of its own.
func serveChild(t *testing.T, data string) {
	c, err := config.Parse(filepath.Join(data, "..", "haidang.yml"), fmt.Appendf(nil,
		"data: %q\nhttp: {listen: \"127.0.0.1:0\"}\nspool: {reserve: 1}\nbuiltin_rules: false\n", data))
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), Options{Config: c, StoreDown: slices.Contains(os.Args, "store-down")})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Run(context.Background()), a.Close()); err != nil {
		t.Fatal(err)
	}
}
