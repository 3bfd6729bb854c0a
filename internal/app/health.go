// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// lagLimit is how far, in records, a reader may be behind before /readyz warns: a tick is a record, so a minute at
// least.
const lagLimit = 600

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
	if a.store == nil {
		problem("the store is down after repeated ends: see the log, mend it and restart; nothing is lost meanwhile")
	} else if lag := int64(s.Last) - int64(a.indexed.Load()); lag > lagLimit {
		warn("the index is %d records behind", lag)
	}
	if c := a.correlated.Load(); c == nil {
		if time.Since(a.started) > 30*time.Second {
			problem("the correlator has not begun")
		}
	} else if lag := int64(s.Last) - int64(c.seq); lag > lagLimit {
		problem("the correlator is %d records behind", lag)
	}
	if broken := a.alerts.Broken(); broken != nil {
		warn("the alert log does not verify: %v", broken)
	}
	for _, k := range a.sinks.Status() {
		if k.Dead > 0 {
			warn("sink %s: %d deliveries were given up", k.Name, k.Dead)
		}
	}
	r.Ready = len(r.Problems) == 0
	return r
}

func (a *App) readyz(w http.ResponseWriter, _ *http.Request) {
	r := a.readiness()
	w.Header().Set("Content-Type", "application/json")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(r)
}
