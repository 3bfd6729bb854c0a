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
	gate         gate
	stopping     chan struct{} // closed when it begins to stop
}

// What a client may take. Bodies have up to 16 MiB and come over slow lines; a stream sets its own time for each write.
const (
	headerTime  = 10 * time.Second
	requestTime = 5 * time.Minute
	idleTime    = 2 * time.Minute
	graceTime   = 5 * time.Second // for requests under way when the server stops
	maxConns    = 1024            // on the network
)

func (a *App) listenHTTP(ctx context.Context) (*web, error) {
	w := &web{stopping: make(chan struct{})}
	mux := w.guard(a.routes(w.stopping))
	errorLog := slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)
	server := func(h http.Handler) *http.Server {
		return &http.Server{Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime,
			WriteTimeout: requestTime, IdleTimeout: idleTime, MaxHeaderBytes: 64 << 10, ErrorLog: errorLog}
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
	limited := capped(w.net, maxConns)
	w.net = limited
	a.webRefused.Store(&limited.refused)
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
	if len(path) > 107 { // sun_path
		return nil, fmt.Errorf("api.sock: %s is longer than a socket's name may be: give data: a shorter path", path)
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

// run serves until ctx is done. Then streams end at once, and the requests under way within graceTime; when it returns
// no handler runs any more. A listener that fails ends it with the error.
func (w *web) run(ctx context.Context) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	servers := map[*http.Server]net.Listener{w.srv: w.net, w.srvUnix: w.local}
	ended := make(chan error, len(servers))
	for srv, l := range servers {
		srv.BaseContext = func(net.Listener) context.Context { return requests }
		go func() { ended <- srv.Serve(l) }()
	}
	var errs []error
	wait := len(servers)
	note := func(err error) {
		wait--
		if !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	select {
	case <-ctx.Done():
	case err := <-ended:
		note(err)
	}
	close(w.stopping)
	grace, done := context.WithTimeout(requests, graceTime)
	defer done()
	var g errgroup.Group
	for srv := range servers {
		g.Go(func() error {
			if srv.Shutdown(grace) != nil {
				cancel()
				return srv.Close()
			}
			return nil
		})
	}
	errs = append(errs, g.Wait())
	cancel()
	for wait > 0 {
		note(<-ended)
	}
	<-w.gate.shut()
	return errors.Join(errs...)
}

// routes are everything that is served.
func (a *App) routes(stopping <-chan struct{}) http.Handler {
	mux := http.NewServeMux()
	in := ingest.New(ingest.Config{Out: a.intake, Drops: a.spool, Authorize: a.authorize})
	a.ingest.Store(in)
	mux.Handle("POST /v1/spool", in)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", a.metrics())
	mux.Handle("/api/v1/", a.api(stopping))
	return mux
}
