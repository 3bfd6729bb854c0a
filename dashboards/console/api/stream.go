// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
)

// keepAlive is how often a comment tells proxies and clients that the stream lives.
const keepAlive = 15 * time.Second

const (
	maxStreams = 256
	slowest    = 30 * time.Second // that a client may take to read what was sent
)

// stream sends every change of the alerts that the scope may see as server-sent events: "event: alert", id the number
// of the log's entry, data the alert's document without evidence. Last-Event-ID, or after, goes on behind an entry;
// without either the stream begins now. It ends when the server stops, when the principal may no longer read, and when
// the client does not.
func (s *server) stream(w http.ResponseWriter, r *request) error {
	defer s.streams.Add(-1)
	if s.streams.Add(1) > maxStreams {
		return &problem{Status: http.StatusServiceUnavailable, Title: "not now",
			Detail: "too many streams are open: close some"}
	}
	after, _ := s.Alerts.Head()
	from := r.Header.Get("Last-Event-ID")
	if from == "" {
		from = r.URL.Query().Get("after")
	}
	if from != "" {
		n, err := strconv.ParseUint(from, 10, 64)
		if err != nil {
			return badRequest("after: %q is no number of an entry", from)
		}
		after = n
	}
	head(w, "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	flush := http.NewResponseController(w)
	patience := func() { _ = flush.SetWriteDeadline(time.Now().Add(slowest)) } // a recorder in a test has none
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	entries := s.follow(ctx, after)
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	patience()
	if err := flush.Flush(); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-s.Stopping:
			return nil
		case <-beat.C:
			p, authErr := s.Principal(r.Request) // a revocation ends what is open as well
			if authErr != nil || !p.May(access.ReadAlerts) {
				return nil
			}
			r.scope = p.Scope(s.Inventory().UnitsUnder)
			patience()
			_, err = w.Write([]byte(": alive\n\n"))
		case e, ok := <-entries:
			if !ok {
				return nil
			}
			patience()
			err = s.send(w, r, e)
		}
		if err == nil {
			err = flush.Flush()
		}
		if err != nil {
			return nil // the client left
		}
	}
}

// follow reads the log into a channel, so that waiting for an entry and for the next beat are one wait.
func (s *server) follow(ctx context.Context, after uint64) <-chan *alert.Entry {
	c := make(chan *alert.Entry)
	go func() {
		defer close(c)
		next, stop := iter.Pull2(s.Alerts.Subscribe(ctx, after))
		defer stop()
		for {
			e, err, ok := next()
			if !ok || err != nil {
				return
			}
			select {
			case c <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return c
}

func (s *server) send(w http.ResponseWriter, r *request, e *alert.Entry) error {
	if e.State == nil || !r.scope.Allows(e.State.Alert.Units...) {
		return nil
	}
	x := *e.State
	cut := *x.Alert
	cut.Evidence = nil
	x.Alert = &cut
	doc, err := x.AppendJSON(nil, s.PublicURL+"/alerts/"+x.Alert.ID.String(), e.Kind)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "id: %d\nevent: alert\ndata: %s\n\n", e.N, doc)
	return err
}
