// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/storetest"
)

// classes spreads the generator's events over three retention classes.
func classes(e event.Event) int { return []int{7, 90, 365}[e.ID()[13]%3] }

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(Config{Dir: dir, Class: classes, Memory: 128 << 20})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, t.TempDir()) })
}
