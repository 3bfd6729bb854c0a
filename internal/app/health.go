// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// lagLimit is how far, in stream time, a reader may be behind before /readyz says so. Records are no measure: under
// load hundreds of them are a second.
const lagLimit = time.Minute

// readiness is the body of /readyz.
type readiness struct {
	Ready    bool     `json:"ready"`
	Problems []string `json:"problems,omitempty"` // events are not taken in, or not watched
	Warnings []string `json:"warnings,omitempty"`
}

// Readiness tells what hinders the server now.
func (a *App) readiness() readiness {
	var r readiness
	problem := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	warn := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	s := a.spool.Stats()
	if s.Full {
		problem("the spool is full: free disk space under %s", a.cfg.Data)
	}
	if s.Fenced {
		problem("another process writes to the spool: stop it and restart")
	}
	if s.InFlight > 10*time.Second {
		problem("the disk has not answered for %s", s.InFlight.Round(time.Second))
	}
	if d := s.Skew; d > 5*time.Second || d < -5*time.Second {
		warn("stream time and wall clock differ by %s", d.Round(time.Second))
	}
	now := a.wall() + int64(s.Skew)
	if a.store == nil {
		problem("the store is down after repeated ends: see the log, mend it and restart; nothing is lost meanwhile")
	} else if why := a.indexStopped.Load(); why != nil {
		problem("nothing is indexed, what comes in waits in the spool: %s", *why)
	} else if lag := a.behind(now, a.reached.Load()); lag > lagLimit {
		warn("the index is %s behind", lag.Round(time.Second))
	}
	var decided int64
	if c := a.correlated.Load(); c != nil {
		decided = c.clock
	}
	if lag := a.behind(now, decided); lag > lagLimit {
		problem("the correlator is %s behind: alerts come late; see its metrics and the log", lag.Round(time.Second))
	}
	if s.Damaged > 0 {
		warn("%d records of the spool are damaged and were left out: see the log, and haidang check --data", s.Damaged)
	}
	if broken := a.alerts.Broken(); broken != nil {
		warn("the alert log does not verify: %v", broken)
	}
	for _, k := range a.sinks.Status() {
		if k.Dead > 0 {
			warn("sink %s: %d deliveries were given up: see haidang sinks dead %s", k.Name, k.Dead, k.Name)
		}
		if k.Waiting > 0 && k.LastError != "" {
			warn("sink %s: %d deliveries wait: %s", k.Name, k.Waiting, k.LastError)
		}
		if k.Damaged > 0 {
			warn("sink %s: %d lines of its outbox cannot be read", k.Name, k.Damaged)
		}
	}
	r.Ready = len(r.Problems) == 0
	return r
}

// behind is how far a reader at the given place of the stream is behind, 0 where the stream has no ticks to tell by.
func (a *App) behind(now, at int64) time.Duration {
	if a.opt.Tick < 0 {
		return 0
	}
	if at == 0 { // it has not begun: the start counts
		return time.Since(a.started)
	}
	return time.Duration(now - at)
}

// wall is the time of the clock that the server runs by.
func (a *App) wall() int64 {
	if a.opt.Clock != nil {
		return a.opt.Clock.Wall()
	}
	return time.Now().UnixNano()
}

func (a *App) readyz(w http.ResponseWriter, _ *http.Request) {
	r := a.readiness()
	w.Header().Set("Content-Type", "application/json")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(r)
}
