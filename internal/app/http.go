// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/haidang-soc/haidang/internal/spool/ingest"
)

var errNoToken = errors.New("no bearer token: send Authorization: Bearer <token>, made with haidang people token")

// web is the listeners of the console, the API and /v1/spool: one on the network, one in the data directory.
type web struct {
	net, local   net.Listener
	srv, srvUnix *http.Server
}

func (a *App) listenHTTP(ctx context.Context) (*web, error) {
	mux := a.routes()
	w := &web{}
	errorLog := slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)
	server := func(h http.Handler) *http.Server {
		return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 64 << 10, ErrorLog: errorLog}
	}
	w.srv = server(mux)
	w.srvUnix = server(localPrincipal(mux))
	w.srvUnix.ConnContext = withPeer
	var err error
	if w.local, err = listenUnix(filepath.Join(a.cfg.Data, "api.sock")); err != nil {
		return nil, err
	}
	if w.net, err = a.listenTCP(ctx); err != nil {
		return nil, errors.Join(err, w.local.Close())
	}
	if a.cfg.HTTP.Certificate != "" {
		cert, err := tls.LoadX509KeyPair(a.cfg.HTTP.Certificate, a.cfg.HTTP.Key)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("http: certificate: %w", err), w.local.Close(), w.net.Close())
		}
		w.net = tls.NewListener(w.net, &tls.Config{Certificates: []tls.Certificate{cert},
			MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	a.addresses.http.Store(new(w.net.Addr().String()))
	return w, nil
}

func (a *App) listenTCP(ctx context.Context) (net.Listener, error) {
	if a.opt.Listen != nil {
		l, _, err := a.opt.Listen(ctx, "tcp", a.cfg.HTTP.Listen)
		if l != nil || err != nil {
			return l, err
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.HTTP.Listen)
	if err != nil {
		return nil, fmt.Errorf("http: %w; set http: listen: to a free address", err)
	}
	return l, nil
}

// listenUnix makes the socket through which the command line speaks; only its owner may open it.
func listenUnix(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("api.sock: removing the one of the last run: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("api.sock: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("api.sock: %w", err), l.Close())
	}
	return l, nil
}

// run serves until ctx is done, then lets the requests under way end, for at most five seconds.
func (w *web) run(ctx context.Context) error {
	var g errgroup.Group
	for _, s := range []struct {
		srv *http.Server
		l   net.Listener
	}{{w.srv, w.net}, {w.srvUnix, w.local}} {
		s.srv.BaseContext = func(net.Listener) context.Context { return ctx }
		g.Go(func() error {
			if err := s.srv.Serve(s.l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := s.srv.Shutdown(end); err != nil {
				return s.srv.Close()
			}
			return nil
		})
	}
	return g.Wait()
}

// routes are everything that is served.
func (a *App) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/spool", ingest.New(ingest.Config{Out: a.decode, Drops: a.spool, Authorize: a.authorize}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", a.metrics())
	mux.Handle("/api/v1/", a.api())
	return mux
}
