// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package demo is `haidang demo`: a real server of its own, the story's night sent to it through real sockets, and the
// alerts printed as they come.
//
// Nothing in it is staged: what is printed is what the server's alert log says. The server stays up for exploring
// until the context ends.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/haidang-soc/haidang/deploy/sample"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/app/story"
)

// Config says how the night is told.
type Config struct {
	Out     io.Writer
	Program string // how people start this program; empty is haidang
	Colour  bool
	Data    string  // data directory, made anew; empty is a temporary one, removed at the end
	Listen  string  // of the HTTP API; empty is 127.0.0.1:8514, or any port if that is taken
	Speed   float64 // story seconds a second; 0 is 20
	Once    bool    // stop when the night is over
	Seed    uint64
	Log     *slog.Logger
	// Raised, if set, is called for every alert when it is first raised.
	Raised func(*alert.Alert)
}

// Night is the begin of the story that a demo run on day tells: 02:05 of the latest National Day, 2 September, that is
// over.
func Night(day time.Time) time.Time {
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		zone = time.FixedZone("+07", 7*3600)
	}
	day = day.In(zone)
	begin := time.Date(day.Year(), time.September, 2, 2, 5, 0, 0, zone)
	if !begin.Before(day.Add(-24 * time.Hour)) {
		begin = time.Date(day.Year()-1, time.September, 2, 2, 5, 0, 0, zone)
	}
	return begin
}

// Run tells the night. It returns when ctx is done, or after the night with Once.
func Run(ctx context.Context, c Config) (err error) {
	if c.Speed == 0 {
		c.Speed = 20
	}
	if c.Program == "" {
		c.Program = "haidang"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Data == "" {
		if c.Data, err = os.MkdirTemp("", "haidang-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.Data)) }()
	}
	cfg, err := c.write()
	if err != nil {
		return err
	}
	begin := Night(time.Now())
	clock := story.NewClock(begin, c.Speed)
	a, err := app.Open(ctx, app.Options{Config: cfg, Log: c.Log, Clock: clock,
		Tick: time.Duration(float64(time.Second) / c.Speed)})
	if err != nil {
		return err
	}
	serve, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(serve) }()
	defer func() {
		stop()
		err = errors.Join(err, <-done, a.Close())
	}()
	select {
	case <-a.Ready():
	case err := <-done:
		done <- nil
		return err
	case <-ctx.Done():
		return nil
	}
	t := &teller{Config: c, app: a, clock: clock, begin: begin}
	if err := t.tell(ctx); err != nil || c.Once || ctx.Err() != nil {
		return ignore(err)
	}
	clock.SetSpeed(1)
	t.explore()
	<-ctx.Done()
	return nil
}

func ignore(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// write makes the data directory's configuration: the sample province, every socket on this machine.
func (c *Config) write() (*config.Config, error) {
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{"inventory.yml": sample.Inventory, "policy.yml": sample.Policy} {
		if err := os.WriteFile(filepath.Join(c.Data, name), data, 0o640); err != nil {
			return nil, err
		}
	}
	listen := c.Listen
	if listen == "" {
		listen = "127.0.0.1:8514"
		l, err := net.Listen("tcp", listen)
		if err != nil {
			listen = "127.0.0.1:0"
		} else if err := l.Close(); err != nil {
			return nil, err
		}
	}
	text := fmt.Sprintf(`data: .
inventory: inventory.yml
policy: policy.yml
time_zone: Asia/Ho_Chi_Minh
http: {listen: %q}
relays: [127.0.0.0/8, "::1"]
store: {sync: 2s}
collectors:
  - syslog: {name: demo-tcp, listen: "127.0.0.1:0", protocol: tcp, site: dc1}
  - netflow: {name: demo-flow, listen: "127.0.0.1:0", site: dc1}
`, listen)
	path := filepath.Join(c.Data, "haidang.yml")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		return nil, err
	}
	return config.Load(path)
}
