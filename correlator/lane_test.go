// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

const laneRules = `
title: a
name: a
id: a
logsource: {product: linux}
detection: {s: {event.action: a}, condition: s}
---
title: f
name: f
id: f
logsource: {category: network}
detection: {s: {event.dataset: netflow.flow}, condition: s}
---
title: lines
id: lines
correlation: {type: event_count, rules: [a], group-by: [host.name], timespan: 1m, condition: {gte: 1}}
---
title: flows
id: flows
correlation: {type: event_count, rules: [f], group-by: [host.name], timespan: 1m, condition: {gte: 1}}
---
title: mixed
id: mixed
correlation: {type: temporal_ordered, rules: [f, a], group-by: [host.name], timespan: 1m}
`

// TestLanes: lines do not wait for flows; what looks at both waits for both, and sees them in order.
func TestLanes(t *testing.T) {
	e := newEngine(t, laneRules)
	s := newStream()
	s.from("10.0.0.1", 9000, 10_000, func(b *event.Builder) { b.Str(event.EventAction, "a") })
	s.from("10.0.0.1", 5000, 11_000, func(b *event.Builder) { b.Str(event.EventDataset, "netflow.flow") })
	for at := int64(12_000); at < 120_000; at += 1000 {
		s.from("10.0.0.1", at, at, nil)
		s.from("10.0.0.1", at-20_000, at, func(b *event.Builder) {
			b.Str(event.EventDataset, "netflow.flow")
			b.Str(event.HostName, "khác")
		})
	}
	at := map[string]time.Duration{}
	for _, a := range run(t, e, s.recs) {
		if a.Update == 1 && (a.Group[0].Value == "máy") {
			at[a.Rule.ID] = time.Duration(a.At - start)
		}
	}
	if at["lines"] != 12*time.Second && at["lines"] != 13*time.Second {
		t.Errorf("lines: after %v", at["lines"])
	}
	if at["flows"] < 60*time.Second || at["mixed"] < 80*time.Second || e.Stats().Late > 0 {
		t.Errorf("flows: after %v, mixed: %v, late %d", at["flows"], at["mixed"], e.Stats().Late)
	}
}
