// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"testing"
	"time"
)

// TestWall wants the reading of a sender's clock, whatever zone it is supposed to be in.
func TestWall(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skipf("no zone database: %v", err)
	}
	for _, strict := range []bool{false, true} {
		for _, c := range [][2]string{
			{"<13>Jan  1 00:30:05 máy app: chào", "2027-01-01T00:30:05Z"},
			{"<13>Dec 31 23:59:58 máy app: chào", "2026-12-31T23:59:58Z"},
			{"<13>Mar 29 02:30:00 may app: x", "2026-03-29T02:30:00Z"}, // an hour that some zones do not have
			{"<13>2027-01-01T00:30:05 may app: x", "2027-01-01T00:30:05Z"},
			{"2026/12/31 12:00:00 may app: %X-5-Y", "2026-12-31T12:00:00Z"},
			{"date=2026-12-31 time=08:15:00 devname=FG logid=0000000013 type=traffic", "2026-12-31T08:15:00Z"},
			{"<189>812: may: Dec 31 10:00:01.123: %SYS-5-CONFIG_I: Configured by admin", "2026-12-31T10:00:01.123Z"},
			{"<13>Dec 31 10:00:00 relay 811: Dec 31 03:00:00: %SYS-5-CONFIG_I: Configured", "2026-12-31T10:00:00Z"},
		} {
			line, want := c[0], c[1]
			for _, zone := range []*time.Location{nil, time.UTC, newYork, time.FixedZone("", 14*3600)} {
				h, err := Parse([]byte(line), Options{Received: time.Date(2026, 12, 31, 17, 31, 0, 0, time.UTC), Zone: zone,
					Strict: strict})
				if strict && (err != nil || !h.TimeClaimed || h.ZoneClaimed) {
					continue // the library knows no dialects
				}
				if got := time.Unix(0, h.Wall).UTC().Format(time.RFC3339Nano); err != nil || !h.TimeClaimed || h.ZoneClaimed ||
					got != want {
					t.Errorf("%q in %v (strict: %v): the clock shows %s, want %s; claimed %v, zone %v, %v", line, zone, strict,
						got, want, h.TimeClaimed, h.ZoneClaimed, err)
				}
			}
		}
	}
}
