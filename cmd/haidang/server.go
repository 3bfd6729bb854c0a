// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/parent"
	"github.com/haidang-soc/haidang/internal/app/sockets"
)

type serverCmd struct {
	Config string `short:"c" default:"/etc/haidang/haidang.yml" help:"Configuration file."`
	Single bool   `help:"One process: without the parent that holds the sockets and restarts the server."`

	StoreDown bool `hidden:"" help:"Collect and correlate without the store."`
}

// Help is shown by --help.
func (serverCmd) Help() string {
	return `Example:
  haidang check --config /etc/haidang/haidang.yml
  haidang server --config /etc/haidang/haidang.yml

SIGHUP reads configuration, inventory, policy and rules anew; a mistake in them leaves the old ones in use.
SIGTERM stops it: what was taken in is safe.`
}

// Run runs the server until it is told to stop.
func (c serverCmd) Run(s *streams) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // first: the parent passes it on whenever it comes
	defer signal.Stop(hup)
	load := func() (*config.Config, error) { return config.Load(c.Config) }
	cfg, err := load()
	if err == nil {
		_, err = app.Check(s.ctx, c.Config)
	}
	if err != nil && c.Single {
		return &exitError{parent.Misconfigured, err} // no restart mends it
	}
	if err != nil {
		return misused("%w", err)
	}
	log := newLog(s, cfg.Log)
	held, err := sockets.Inherited()
	if err != nil {
		return err
	}
	defer held.Close()
	if !c.Single {
		return c.parent(s, cfg, held, log, hup)
	}
	a, err := app.Open(s.ctx, app.Options{Config: cfg, Load: load, Log: log, Listen: held.Listen,
		StoreDown: c.StoreDown})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	var reloads sync.WaitGroup
	reloads.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
				if _, err := a.Reload(ctx); err != nil {
					log.Error("not reloaded: the old configuration stays in use", "error", err)
				}
			}
		}
	})
	go func() {
		select {
		case <-ctx.Done():
		case <-a.Ready():
			log.Info("haidang runs", "version", version(), "data", cfg.Data, "http", a.HTTPAddr())
		}
	}()
	err = a.Run(ctx)
	stop()
	reloads.Wait()
	return errors.Join(err, a.Close())
}

// parent holds the sockets and keeps a server of one process running.
func (c serverCmd) parent(s *streams, cfg *config.Config, held *sockets.Set, log *slog.Logger,
	hup <-chan os.Signal) error {
	if err := held.Open(s.ctx, app.Sockets(cfg)...); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return err
	}
	return parent.Run(s.ctx, parent.Config{Path: self, Args: []string{"server", "--single", "--config", c.Config},
		Sockets: held, Ends: filepath.Join(cfg.Data, "ends"), Degraded: "--store-down", Hangup: hup, Log: log,
		Stdout: os.Stdout, Stderr: os.Stderr})
}

// newLog logs to stderr at the level that the configuration names.
func newLog(s *streams, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		fmt.Fprintln(s.err, "haidang: log level:", err)
	}
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: l}))
}
