// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
)

// TestAuditFlood: more entries than the queue holds, before the server runs and while it does: each is an event, once.
func TestAuditFlood(t *testing.T) {
	s := newSite(t, "builtin_rules: false\n")
	a := s.open()
	n := 0
	add := func(count int) {
		for range count {
			n++
			err := a.audit.Append(access.Entry{At: time.Now(), Actor: "lan", Action: "alert.close", OK: true,
				Detail: fmt.Sprintf("lần %d", n)})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	add(cap(a.tail.news) + 20)
	s.run(a)
	add(cap(a.tail.news) + 20)
	eventually(t, "all entries", func() bool {
		known, ok := a.spool.Known(sourceAudit)
		return ok && known.Last == uint64(n)+1
	})
	eventually(t, "all events", func() bool { return found(t, a, "event.dataset: haidang.audit") >= n })
	if got := found(t, a, "event.dataset: haidang.audit"); got != n {
		t.Errorf("%d entries, %d events", n, got)
	}
}
