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

	"github.com/haidang-soc/haidang/internal/alert"
)

// keepAlive is how often a comment tells proxies and clients that the stream lives.
const keepAlive = 15 * time.Second

// stream sends every change of the alerts that the scope may see as server-sent events: "event: alert", id the number
// of the log's entry, data the alert's document without evidence. Last-Event-ID, or after, goes on behind an entry;
// without either the stream begins now.
func (s *server) stream(w http.ResponseWriter, r *request) error {
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
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	flush := http.NewResponseController(w)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	entries := s.follow(ctx, after)
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	if err := flush.Flush(); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-beat.C:
			_, err = w.Write([]byte(": alive\n\n"))
		case e, ok := <-entries:
			if !ok {
				return nil
			}
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
