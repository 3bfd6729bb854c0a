// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"errors"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
)

// TestSyncOnFullDisk holds that nothing is written with less than half of the reserve free, and that the same rows are
// safe once there is more.
func TestSyncOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	one(t, s, 1, func(b *event.Builder) { b.Str(event.UserName, "x") })
	before := s.Cursor()
	s.cfg.Reserve = 1 << 60
	if c, err := s.Sync(t.Context()); !errors.Is(err, ErrFull) || !c.Equal(before) {
		t.Fatalf("Sync: %v, %v, want ErrFull and %v", c, err, before)
	}
	s.cfg.Reserve = -1
	c, err := s.Sync(t.Context())
	if err != nil || c.Seq(0) != 1 {
		t.Fatalf("Sync with space: %v, %v", c, err)
	}
	one(t, s, 2, func(b *event.Builder) { b.Str(event.UserName, "y") })
	s.cfg.Reserve = 1 << 60
	if err := s.Close(); !errors.Is(err, ErrFull) {
		t.Errorf("Close: %v, want ErrFull", err)
	}
	if _, err := s.Sync(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("Sync after Close: %v", err)
	}
}
