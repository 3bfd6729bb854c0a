// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	sent := r.Sent.Lines + r.Sent.Flows
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(max(sent, 1)) }
	var b strings.Builder
	row := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-22s"+format+"\n", append([]any{what}, args...)...)
	}
	row("sent", "%d lines (%d shapes, %d hosts) and %d flows in %.1f s: %.0f events/s of %d asked for", r.Sent.Lines,
		len(r.Sent.Shapes), Hosts, r.Sent.Flows, r.Sent.Elapsed, float64(sent)/r.Sent.Elapsed, r.Rate)
	verdict := "equal"
	if int(r.Found) != sent {
		verdict = fmt.Sprintf("%d MISSING", sent-int(r.Found))
	}
	row("found by search", "%d: %s", r.Found, verdict)
	row("lost, by counters", "%d", r.Lost)
	row("lag at the end", "%d records; everything safe and decided %.1f s after the last line", r.Lag, r.Behind.Seconds())
	row("server", "%.2f µs CPU an event, %d MiB at most", per(r.CPU), r.RSS>>20)
	row("generator", "%.2f µs CPU an event, its own process", r.Sent.CPU*1e6/float64(max(sent, 1)))
	if r.Sent.Lines > 0 && r.Zstd > 0 {
		row("store", "%.1f bytes an event; the same lines by zstd -3: %.1f a line (%.2f times)",
			float64(r.Disk)/float64(max(sent, 1)), float64(r.Zstd)/float64(r.Sent.Lines),
			float64(r.Disk)/float64(max(sent, 1))/(float64(r.Zstd)/float64(r.Sent.Lines)))
	}
	row("alerts", "%d entries in the log", r.Alerts)
	for _, l := range []struct {
		name string
		Latency
	}{{"event to alert", r.Detection}, {"... of a correlation", r.Correlation}} {
		if l.Probes > 0 {
			row(l.name, "p50 %.0f ms, p99 %.0f ms (%d probes)", float64(l.P50.Milliseconds()),
				float64(l.P99.Milliseconds()), l.Probes)
		}
	}
	fmt.Fprintf(&b, "\neach stage alone, µs CPU an event\n")
	most := 0.0
	for _, s := range r.Stages {
		most = max(most, float64(s.CPU.Nanoseconds()))
	}
	for _, s := range r.Stages {
		ns := float64(s.CPU.Nanoseconds())
		fmt.Fprintf(&b, "  %-22s %6.2f  %s\n", s.Name, ns/1e3, strings.Repeat("█", int(ns/max(most, 1)*40)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
