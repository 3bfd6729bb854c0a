// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// gate counts the requests under way: what they use is closed only when the last has left.
type gate struct {
	mu     sync.Mutex
	inside int
	closed bool
	empty  chan struct{}
}

// enter reports whether the gate is open; who entered leaves.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.closed && g.inside == 0 {
		close(g.empty)
	}
}

// shut lets nobody in any more; the channel is closed when everybody has left. It is called once.
func (g *gate) shut() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed, g.empty = true, make(chan struct{})
	if g.inside == 0 {
		close(g.empty)
	}
	return g.empty
}

// guard counts requests, and has the time for reading end with the body: what a handler does then may take longer.
func (w *web) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.gate.enter() {
			http.Error(rw, "the server stops", http.StatusServiceUnavailable)
			return
		}
		defer w.gate.leave()
		forever := func() { _ = http.NewResponseController(rw).SetReadDeadline(time.Time{}) }
		if r.Body == nil || r.Body == http.NoBody {
			forever()
		} else {
			r.Body = &timed{r.Body, forever}
		}
		h.ServeHTTP(rw, r)
	})
}

// timed is a body that tells when it was read to its end.
type timed struct {
	io.ReadCloser
	end func()
}

// Read reads on.
func (t *timed) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err == io.EOF {
		t.end()
	}
	return n, err
}

// capped is a listener that closes at once what comes while limit connections are open: who holds all of them keeps
// nobody waiting, and is cut off by the time limits.
func capped(l net.Listener, limit int) *cappedListener {
	return &cappedListener{Listener: l, places: make(chan struct{}, limit)}
}

type cappedListener struct {
	net.Listener
	places  chan struct{}
	refused atomic.Uint64
}

// Accept returns the next connection for which there is a place.
func (l *cappedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &cappedConn{Conn: c, free: sync.OnceFunc(func() { <-l.places })}, nil
		default:
			l.refused.Add(1)
			_ = c.Close()
		}
	}
}

type cappedConn struct {
	net.Conn
	free func()
}

// Close closes the connection and frees its place.
func (c *cappedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
