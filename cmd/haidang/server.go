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
	"syscall"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
)

type serverCmd struct {
	Config string `short:"c" default:"/etc/haidang/haidang.yml" help:"Configuration file."`
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
	load := func() (*config.Config, error) { return config.Load(c.Config) }
	cfg, err := load()
	if err != nil {
		return err
	}
	log := newLog(s, cfg.Log)
	a, err := app.Open(s.ctx, app.Options{Config: cfg, Load: load, Log: log})
	if err != nil {
		return err
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	go func() {
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
	}()
	go func() {
		select {
		case <-ctx.Done():
		case <-a.Ready():
			log.Info("haidang runs", "version", version(), "data", cfg.Data, "http", a.HTTPAddr())
		}
	}()
	return errors.Join(a.Run(ctx), a.Close())
}

// newLog logs to stderr at the level that the configuration names.
func newLog(s *streams, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		fmt.Fprintln(s.err, "haidang: log level:", err)
	}
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: l}))
}
