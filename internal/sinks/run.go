// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
)

// run is one sink at work.
type run struct {
	set    *Set
	target Target
	log    *slog.Logger

	mu       sync.Mutex
	box      *outbox // nil unless running
	row      int     // failed tries in a row, of whatever letter
	gate     int64   // no try before, unix ns: the peer is down or asked for a pause
	sent     uint64
	failed   uint64
	lastSent time.Time
	lastErr  string
}

func (r *run) status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := Status{Name: r.target.Name, Sent: r.sent, Failed: r.failed, LastSent: r.lastSent, LastError: r.lastErr}
	if box := r.box; box != nil {
		box.mu.Lock()
		defer box.mu.Unlock()
		st.Cursor, st.Dead, st.Damaged = box.cursor, len(box.dead), box.damaged
		for _, q := range box.waiting {
			st.Waiting += len(q.items)
		}
	}
	return st
}

func (r *run) shut() error {
	r.mu.Lock()
	box := r.box
	r.box = nil
	r.mu.Unlock()
	return box.close()
}

// feed turns entries of the alert log into letters until ctx is done.
func (r *run) feed(ctx context.Context) {
	for try := 0; ctx.Err() == nil; try++ {
		for e, err := range r.set.cfg.Source.Subscribe(ctx, r.box.position()) {
			if err == nil {
				err = r.take(e)
			}
			if err != nil {
				if ctx.Err() == nil {
					r.log.Error("reading the alert log into the outbox; it is tried again", "error", err)
				}
				break
			}
			try = 0
		}
		pause(ctx, backoff(try))
	}
}

// take decides about one entry.
func (r *run) take(e *alert.Entry) error {
	s, route := e.State, &r.target.Route
	if s == nil || !route.Matches(s) || e.Action != nil && !route.Actions {
		return r.box.skip(e.N)
	}
	if e.Kind == alert.Undo {
		if dropped, err := r.box.cancel(e.ID(), e.Action.Undoes, e.N); dropped || err != nil {
			return err
		}
	}
	now := time.Now()
	l := &letter{
		Alert: e.ID(), Entry: e.N, Update: s.Alert.Update, Change: e.Kind, Made: now.UnixNano(), Since: s.RaisedAt,
		Action: route.Disclosure.CutAction(e.Action),
	}
	if e.Alert != nil {
		l.Update = e.Alert.Update
	}
	if route.Outside {
		if e.Action != nil {
			l.Due = e.At + int64(UndoTime)
		}
		if held := r.box.held(l.Alert, now.UnixNano()); held != 0 && e.Action == nil {
			s = s.Before(held)
		}
	}
	state, err := json.Marshal(route.Disclosure.Cut(s))
	if err != nil {
		return fmt.Errorf("outbox: encoding alert %s: %w", l.Alert, err)
	}
	l.State = state
	return r.box.add(l)
}

// work sends letters until ctx is done.
func (r *run) work(ctx context.Context) {
	for ctx.Err() == nil {
		if wait := r.gated(time.Now().UnixNano()); wait > 0 {
			pause(ctx, wait)
			continue
		}
		now := time.Now()
		it, wait, wake, err := r.box.take(now.UnixNano())
		switch {
		case err != nil:
			r.log.Error("marking a try in the outbox; nothing is sent until it can be", "error", err)
			pause(ctx, backoff(3))
		case it == nil:
			waitFor(ctx, wait, wake)
		default:
			r.try(ctx, it, now)
		}
	}
}

// gated returns how long the whole sink has to wait.
func (r *run) gated(now int64) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(max(r.gate-now, 0))
}

// try sends one letter and records what came of it.
func (r *run) try(ctx context.Context, it *item, now time.Time) {
	d, err := r.delivery(it, now)
	var receipt Receipt
	if err == nil {
		receipt, err = r.send(ctx, d)
	}
	if ctx.Err() != nil && err != nil {
		r.box.giveBack(it)
		return
	}
	if werr := r.record(it, receipt, err); werr != nil {
		r.log.Error("writing the outbox after a try; what is not recorded is looked up or sent again",
			"alert", it.letter.Alert, "error", werr)
		pause(ctx, backoff(3))
	}
}

// record keeps what came of a try.
func (r *run) record(it *item, receipt Receipt, err error) error {
	now := time.Now()
	if len(receipt.Answer) > MaxAnswer {
		receipt.Answer = receipt.Answer[:MaxAnswer]
	}
	age := now.Sub(time.Unix(0, it.letter.Made))
	if err == nil && receipt.State == Pending {
		r.succeeded(now)
		if age > r.set.cfg.GiveUp {
			return r.box.bury(it, "the peer never said that it is done", now.UnixNano())
		}
		next := now.Add(min(30*time.Second<<min(it.tries, 5), 10*time.Minute))
		return r.box.postpone(it, &record{Next: next.UnixNano(), Receipt: &receipt})
	}
	if err == nil {
		r.succeeded(now)
		return r.box.done(it, receipt, now.UnixNano())
	}
	var again *RetryError
	refused := errors.As(err, &again) && again.Refused
	permanent := errors.Is(err, ErrPermanent)
	wait := backoff(it.tries - 1)
	if again != nil && again.After > 0 {
		wait = min(again.After, maxPause)
	}
	r.stumbled(now, again, err)
	if permanent || age > r.set.cfg.GiveUp {
		r.log.Error("an alert could not be delivered and is kept as a dead letter",
			"alert", it.letter.Alert, "tries", it.tries, "error", err)
		return r.box.bury(it, err.Error(), now.UnixNano())
	}
	r.log.Warn("a delivery failed and is tried again",
		"alert", it.letter.Alert, "tries", it.tries, "after", wait, "error", err)
	return r.box.postpone(it, &record{Next: now.Add(wait).UnixNano(), Error: err.Error(), Refused: refused})
}

func (r *run) succeeded(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	r.row, r.gate, r.lastSent, r.lastErr = 0, 0, now, ""
}

// stumbled slows the whole sink down while its peer fails; a letter that the peer refuses for good does not.
func (r *run) stumbled(now time.Time, again *RetryError, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed++
	r.lastErr = err.Error()
	switch {
	case errors.Is(err, ErrPermanent):
		return
	case again != nil && again.After > 0:
		r.gate = max(r.gate, now.Add(min(again.After, maxPause)).UnixNano())
	default:
		r.gate = max(r.gate, now.Add(backoff(r.row)/2).UnixNano())
	}
	r.row++
}

// delivery makes what the driver is handed.
func (r *run) delivery(it *item, now time.Time) (*Delivery, error) {
	l := it.letter
	s := new(alert.State)
	if err := json.Unmarshal(r.box.newest(it, now.UnixNano()).State, s); err != nil {
		return nil, Permanent(fmt.Errorf("outbox: decoding alert %s: %w", l.Alert, err))
	}
	if s.Alert == nil {
		return nil, Permanent(fmt.Errorf("outbox: alert %s without its content", l.Alert))
	}
	key := fmt.Sprintf("%s.%d.%s", l.Alert, l.Update, r.target.Name)
	if l.Action != nil {
		key += fmt.Sprintf(".%d", l.Entry) // several actions may follow one update
	}
	link := ""
	if base := r.set.cfg.PublicURL; base != "" {
		link = strings.TrimRight(base, "/") + "/alerts/" + l.Alert.String()
	}
	return &Delivery{
		Alerts: []*alert.Alert{s.Alert}, Update: l.Update, Key: key, Prior: r.box.prior(it),
		States: []*alert.State{s}, Links: []string{link}, Change: l.Change, Action: l.Action,
		Disclosure: r.target.Route.Disclosure, Since: time.Unix(0, l.Since),
	}, nil
}

// send calls the driver; a panic in it is an error like others, so that one letter never ends the program.
func (r *run) send(ctx context.Context, d *Delivery) (receipt Receipt, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.target.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("a sink's driver panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errors.New("the driver panicked")
		}
	}()
	return r.target.Sink.Send(ctx, d)
}

// maxPause bounds what a peer can ask for.
const maxPause = time.Hour

// backoff is the pause after the given number of failures before: 1 s doubling to 5 min, less up to a half at random,
// so that peers that come back are not met by everybody at once.
func backoff(failures int) time.Duration {
	d := min(time.Second<<min(max(failures, 0), 9), 5*time.Minute)
	return d - rand.N(d/2)
}

// pause waits, but not longer than ctx lasts.
func pause(ctx context.Context, d time.Duration) { waitFor(ctx, d, nil) }

// waitFor waits for d (0: for ever), for wake or for the end of ctx.
func waitFor(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	var after <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-after:
	case <-wake:
	case <-ctx.Done():
	}
}
