// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/event"
)

// site is the folder of a configuration; its servers run one after another over the same data.
type site struct {
	t    *testing.T
	dir  string
	yaml string
	opt  Options
	log  logBuffer
	unit uint64 // of the lines written
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps p.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is what was logged so far.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newSite(t *testing.T, yaml string) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "hd") // t.TempDir's names are too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &site{t: t, dir: dir, yaml: yaml}
}

// write writes a file of the folder.
func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) load() (*config.Config, error) {
	text := "data: data\nhttp: {listen: \"127.0.0.1:0\"}\nspool: {reserve: 1}\n" + s.yaml
	return config.Parse(filepath.Join(s.dir, "haidang.yml"), []byte(text))
}

// open opens a server that does not run yet.
func (s *site) open() *App {
	s.t.Helper()
	c, err := s.load()
	if err != nil {
		s.t.Fatal(err)
	}
	opt := s.opt
	opt.Config, opt.Load, opt.NoSync, opt.Log = c, s.load, true, slog.New(slog.NewTextHandler(&s.log, nil))
	a, err := Open(s.t.Context(), opt)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// run runs it; stop stops it in order and closes it, and may be called twice.
func (s *site) run(a *App) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	<-a.Ready()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			s.t.Errorf("close: %v", err)
		}
	})
	s.t.Cleanup(stop)
	return stop
}

// line writes a line as a listener would, and returns when it is safe.
func (s *site) line(a *App, listener, text string) {
	s.t.Helper()
	b := event.NewBuilder("listener/"+listener, 1)
	b.Begin(s.unit, 0)
	b.Str(event.EventOriginal, text)
	b.Time(event.EventCreated, time.Now().UnixNano())
	b.IPs(event.ObserverIP, netip.MustParseAddr("10.10.1.11"))
	b.Str(event.HaidangListener, listener)
	b.Str(event.HaidangFormat, "syslog")
	b.End()
	if err := a.decode.Write(s.t.Context(), b.Batch(s.unit, s.unit+1)); err != nil {
		s.t.Fatal(err)
	}
	s.unit++
}

// failed is a line of a failed login, now.
func failed(user string) string {
	return "<38>" + stamp(0) + " dvc-web-01 sshd[4711]: Failed password for " + user +
		" from 203.0.113.9 port 40001 ssh2"
}

// later is a line of no matter from a bit later: the correlator need not wait whether its sender says more of before.
func later() string {
	return "<30>" + stamp(4*time.Second) + " dvc-web-01 systemd[1]: Started Kiểm tra định kỳ."
}

func stamp(ahead time.Duration) string {
	return time.Now().UTC().Add(7*time.Hour + ahead).Format(time.Stamp)
}

// raised returns the alerts of the log by the title of their rule.
func raised(t *testing.T, a *App) map[string]*alert.State {
	t.Helper()
	q, err := alert.NewQuery(access.Everything(), alert.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	page, err := a.alerts.Projection().List(q)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]*alert.State{}
	for _, x := range page.Items {
		list[x.Alert.Rule.Title] = x
	}
	return list
}

// detection is a rule that every failed login of a user matches.
func detection(title, user string) string {
	id := map[string]string{"A": "a1", "B": "b2"}[title]
	return "title: " + title + "\nid: 5b6f9a52-6f0e-4b5e-9d0b-3c1c2f0a7e" + id + "\nlevel: high\n" +
		"logsource: {product: linux, service: sshd}\ndetection:\n  sel: {event.action: ssh_login, user.name: " + user +
		"}\n  condition: sel\n"
}
