// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/haidang-soc/haidang/collectors"
	"github.com/haidang-soc/haidang/collectors/netflow"
	"github.com/haidang-soc/haidang/collectors/syslog"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app/config"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/outbound"
	"github.com/haidang-soc/haidang/internal/sinks/slack"
	"github.com/haidang-soc/haidang/internal/sinks/webhook"
)

// listener is a configured collector. Each kind of collector and each kind of sink has its row in this file.
type listener struct {
	kind, name string
	collector  collectors.Collector
	stats      func() []counter
	addrs      func() []net.Addr
}

func (a *App) newListeners() (list []listener, err error) {
	for _, x := range a.cfg.Collectors {
		var l listener
		switch {
		case x.Syslog != nil:
			l, err = a.newSyslog(x.Syslog)
		case x.Netflow != nil:
			l, err = a.newNetflow(x.Netflow)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

func (a *App) newSyslog(s *config.Syslog) (listener, error) {
	c := syslog.Config{Name: s.Name, Site: s.Site, StateDir: filepath.Join(a.cfg.Data, "listeners"),
		MaxMessage: s.MaxMessage, MaxConnections: s.MaxConnections, Idle: s.Idle, Listen: a.opt.Listen,
		CertFile: s.Certificate, KeyFile: s.Key, ClientCAFile: s.ClientCA,
		RequireClientCert: s.ClientCA != "" && s.ClientAuth != "optional"}
	switch s.Protocol {
	case "udp":
		c.UDP = []string{s.Listen}
	case "tcp":
		c.TCP = []string{s.Listen}
	default:
		c.TLS = []string{s.Listen}
	}
	x, err := syslog.New(c)
	if err != nil {
		return listener{}, fmt.Errorf("syslog %s: %w", s.Name, err)
	}
	return listener{"syslog", s.Name, x, func() []counter { return syslogCounters(x.Stats()) }, x.Addrs}, nil
}

func (a *App) newNetflow(s *config.Netflow) (listener, error) {
	x, err := netflow.New(netflow.Config{Name: s.Name, Site: s.Site, Address: s.Listen, Listen: a.opt.Listen,
		StateDir: filepath.Join(a.cfg.Data, "listeners")})
	if err != nil {
		return listener{}, fmt.Errorf("netflow %s: %w", s.Name, err)
	}
	return listener{"netflow", s.Name, x, func() []counter { return netflowCounters(x.Stats()) }, x.Addrs}, nil
}

// collect runs every listener until ctx is done and what they read is safe.
func (a *App) collect(ctx context.Context) error {
	var g errgroup.Group
	for _, l := range a.listeners {
		out := a.intake
		if a.opt.Clock != nil {
			out = &restamp{a.intake, a.opt.Clock}
		}
		g.Go(func() error {
			return collectors.Supervise(ctx, collectors.Supervised{Name: l.kind + "/" + l.name, Collector: l.collector,
				Out: out, Log: a.log})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (a *App) newSinks() (*sinks.Set, error) {
	targets, err := newTargets(a.cfg)
	if err != nil {
		return nil, err
	}
	return sinks.New(sinks.Config{Dir: filepath.Join(a.cfg.Data, "outbox"), Source: a.alerts,
		PublicURL: a.cfg.PublicURL, Log: a.log, Targets: targets})
}

// newTargets makes what alerts are sent to; it opens nothing.
func newTargets(c *config.Config) (list []sinks.Target, err error) {
	out := outbound.Config{Proxy: c.Outbound.Proxy}
	if c.Outbound.CA != "" {
		pem, err := os.ReadFile(c.Outbound.CA)
		if err != nil {
			return nil, fmt.Errorf("outbound: ca: %w", err)
		}
		out.CA = pem
	}
	client, err := outbound.New(out)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, x := range c.Sinks {
		t, err := newSink(x, client)
		list, errs = append(list, t), append(errs, err)
	}
	return list, errors.Join(errs...)
}

func newSink(x config.Sink, client *http.Client) (t sinks.Target, err error) {
	switch {
	case x.Webhook != nil:
		w := x.Webhook
		t = sinks.Target{Name: w.Name, Route: route(w.Route)}
		t.Sink, err = webhook.New(webhook.Config{URL: outbound.Secret(w.URL), Secret: outbound.Secret(w.Secret),
			Client: client})
	case x.Slack != nil:
		s := x.Slack
		t = sinks.Target{Name: s.Name, Route: route(s.Route)}
		t.Route.Outside = false // chat follows what people do at once; only other systems wait for an undo
		t.Sink, err = slack.New(slack.Config{Channel: s.Channel, Token: outbound.Secret(s.Token), API: s.API,
			Client: client})
	}
	return t, err
}

func route(r config.Route) sinks.Route {
	severity, _ := alert.ParseSeverity(r.MinSeverity) // the configuration was checked
	disclosure, _ := sinks.ParseDisclosure(r.Disclose)
	return sinks.Route{Severity: severity, Level: uint8(r.MinLevel), Systems: r.Systems, Disclosure: disclosure,
		Secret: r.StateSecrets, Actions: true, Outside: true}
}
