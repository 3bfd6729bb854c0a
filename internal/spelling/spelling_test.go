// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spelling

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got, back := Distance(a, b), Distance(b, a); got != want || back != want {
			t.Errorf("Distance(%q, %q) = %d, and %d the other way; want %d", a, b, got, back, want)
		}
	}
	f("", "", 0)
	f("level", "level", 0)
	f("levle", "level", 2)
	f("", "zone", 4)
	f("sites", "site", 1)
	f("kitten", "sitting", 3)
	f(strings.Repeat("a", 65), "a", 64)
	f(strings.Repeat("a", 65), strings.Repeat("a", 65), 64)
}
