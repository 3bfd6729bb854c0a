// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/parent"
	"github.com/haidang-soc/haidang/internal/app/sockets"
)

// family is a server as it runs in earnest: a parent, which is the test's process, holds the sockets and starts
// children.
type family struct {
	cfg  *config.Config
	held *sockets.Set
	stop func() error // ends it in order, once, and returns how it ended; the test's end does so too
}

func underParent(ctx context.Context, t *testing.T, dir string) *family {
	t.Helper()
	cfg, err := config.Load(filepath.Join(dir, "haidang.yml"))
	if err != nil {
		t.Fatal(err)
	}
	f := &family{cfg: cfg, held: &sockets.Set{}}
	if err := f.held.Open(ctx, app.Sockets(cfg)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.held.Close() })
	t.Setenv(envDir, dir) // for the children
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- parent.Run(running, parent.Config{Path: os.Args[0], Sockets: f.held,
			Ends: filepath.Join(cfg.Data, "ends"), Pause: 10 * time.Millisecond,
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Stderr: os.Stderr})
	}()
	f.stop = sync.OnceValue(func() error {
		stop()
		return <-ended
	})
	t.Cleanup(func() {
		if err := f.stop(); err != nil {
			t.Error(err)
		}
	})
	return f
}
