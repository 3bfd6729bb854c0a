// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"testing"
	"time"
)

// handTime is a TimeSource that a test moves.
type handTime struct {
	wall int64
	mono time.Duration
}

func (h *handTime) Wall() int64         { return h.wall }
func (h *handTime) Mono() time.Duration { return h.mono }

func TestClock(t *testing.T) {
	const s = int64(time.Second)
	start := int64(1_000_000) * s
	h := &handTime{wall: start}
	c := newClock(h, start-500*s) // the last record is of before the restart
	for i, step := range []struct {
		wall, mono  int64 // seconds that pass
		t           int64 // stream time, seconds after the start
		d           int64 // difference found
		explanation string
	}{
		{0, 0, 0, 0, "begins at the wall clock"},
		{1, 1, 1, 0, "runs with it"},
		{-9, 1, 1, 10, "the wall clock is set back ten seconds: half speed (1.5, shown whole)"},
		{8, 8, 5, 9, "ahead: half speed"},
		{6, 6, 8, 5, "ahead: half speed"},
		{10, 10, 16, 2, "level again: the wall clock"},
		{100, 1, 116, -99, "the wall clock is set forward: jumps"},
		{0, 0, 116, 0, "read again"},
	} {
		h.wall += step.wall * s
		h.mono += time.Duration(step.mono * s)
		now, d := c.now()
		if (now-start)/s != step.t || int64(d.Truncate(time.Second))/s != step.d {
			t.Errorf("step %d, %s: %v, difference %v; want %d, %d", i, step.explanation,
				time.Duration(now-start), d, step.t, step.d)
		}
	}
}

// TestClockNeverFalls moves the wall clock about at random: stream time is monotone, and level in the end.
func TestClockNeverFalls(t *testing.T) {
	h := &handTime{wall: int64(time.Hour)}
	c := newClock(h, int64(2*time.Hour))
	last := int64(0)
	for i := range 10_000 {
		h.mono += time.Duration(i%7) * time.Second
		h.wall += int64(time.Duration(i%7) * time.Second)
		if i%1000 == 0 {
			h.wall += int64(time.Duration(i%3-1) * 5 * time.Minute)
		}
		now, _ := c.now()
		if now < last || now < h.wall {
			t.Fatalf("step %d: %d after %d, wall %d", i, now, last, h.wall)
		}
		last = now
	}
	if last != h.wall {
		t.Errorf("ends %v ahead", time.Duration(last-h.wall))
	}
}

func TestSkewIsTold(t *testing.T) {
	h := &handTime{wall: int64(time.Hour)}
	told := make(chan time.Duration, 10)
	s := testSpool(t, testServer(t, ServerConfig{}), Config{Clock: h, OnSkew: func(d time.Duration) { told <- d }})
	write(t, s, batch("a", 1, 0, 1))
	h.wall += int64(4 * time.Second)
	write(t, s, batch("a", 1, 1, 2))
	select {
	case d := <-told:
		t.Fatalf("told of %v", d)
	default:
	}
	h.wall -= int64(6 * time.Second)
	write(t, s, batch("a", 1, 2, 3))
	if d := <-told; d != 6*time.Second || s.Stats().Skew != d {
		t.Fatalf("told of %v, stats say %v", d, s.Stats().Skew)
	}
	write(t, s, batch("a", 1, 3, 4)) // still ahead, told already
	select {
	case d := <-told:
		t.Fatalf("told again of %v", d)
	default:
	}
	// A restart with a wall clock behind the last record does not go back.
	rs := readAll(t, s, Cursor{})
	srv := s.srv
	_ = s.Close()
	s = testSpool(t, srv, Config{Clock: h})
	write(t, s, batch("a", 1, 4, 5))
	again := readAll(t, s, Cursor{}.Advance(&rs[3]))
	if again[0].Clock < rs[3].Clock {
		t.Fatalf("clock fell from %d to %d", rs[3].Clock, again[0].Clock)
	}
}
