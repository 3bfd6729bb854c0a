// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app"
)

// Probes are lines that raise an alert each, or twelve together, and carry the time at which they were sent to the
// nanosecond: what lies between that and the entry in the alert log is how long people wait.
const (
	detections   = 100 // a run; a rule over single events
	correlations = 20  // a run; a rule that counts, decided when the watermark passes
	probeUser    = "probe-"
	probeNet     = "198.18." // RFC 2544: of benchmarks
	guesses      = 12        // enough for every level
)

// detectionProbe is an account created on a host.
func detectionProbe(dst []byte, n int) []byte {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	text := fmt.Sprintf("<86>1 %s may-%05d useradd %d - - new user: name=%s%d, UID=%d, GID=%d, home=/home/p, "+
		"shell=/bin/bash, from=none", now, n, 1000+n, probeUser, n, 2000+n, 2000+n)
	return fmt.Appendf(dst, "%d %s", len(text), text)
}

// correlationProbe is a password guessed often from one address.
func correlationProbe(dst []byte, n int) []byte {
	for i := range guesses {
		now := time.Now().UTC().Format(time.RFC3339Nano)
		text := fmt.Sprintf("<38>1 %s may-%05d sshd %d - - Failed password for root from %s%d.%d port %d ssh2", now, n,
			1000+n, probeNet, n/250, 1+n%250, 40000+i)
		dst = fmt.Appendf(dst, "%d %s", len(text), text)
	}
	return dst
}

// Latency is how long alerts took, from the sending of the event that decided them to their entry in the log.
type Latency struct {
	Probes   int
	P50, P99 time.Duration
}

// latencies finds the probes' alerts.
func latencies(a *app.App) (detection, correlation Latency, err error) {
	var one, many []time.Duration
	after := ""
	for {
		q, err := alert.NewQuery(access.Everything(), alert.Filter{Limit: 1000, After: after})
		if err != nil {
			return detection, correlation, err
		}
		page, err := a.Alerts().Projection().List(q)
		if err != nil {
			return detection, correlation, err
		}
		for _, s := range page.Items {
			for _, kv := range s.Alert.Group {
				switch {
				case strings.HasPrefix(kv.Value, probeUser):
					one = append(one, time.Duration(s.RaisedAt-s.Alert.First))
				case kv.Field == "source.ip" && strings.HasPrefix(kv.Value, probeNet):
					many = append(many, time.Duration(s.RaisedAt-s.Alert.Last))
				}
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return quantiles(one), quantiles(many), nil
}

func quantiles(list []time.Duration) Latency {
	if len(list) == 0 {
		return Latency{}
	}
	slices.Sort(list)
	return Latency{len(list), list[len(list)/2], list[len(list)*99/100]}
}
