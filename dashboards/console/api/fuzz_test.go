// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/url"
	"testing"
	"time"
)

// FuzzParameters: what stands in an address is read or refused, and a time that is read fits a query.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{"now-15m", "now-7d", "2026-11-24", "2026-11-24T02:10:00+07:00", "histogram:1h",
		"top:source.ip:10", "distinct:người dùng", "now--1h", "9999-12-31T23:59:59Z", "top::", "histogram:99999d"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 24, 2, 10, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := moment(s, now, now); err == nil && (at.Year() < 1970 || at.Year() > 2200) {
			t.Errorf("%q is %v", s, at)
		}
		if n, err := limit(url.Values{"limit": {s}}, 100, 1000); err == nil && (n < 1 || n > 1000) {
			t.Errorf("%q is a limit of %d", s, n)
		}
		_, _ = bucket(s)
	})
}
