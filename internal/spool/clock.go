// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import "time"

// skewLimit is the difference between stream time and wall clock above which people are told.
const skewLimit = 5 * time.Second

// systemTime is the operating system's time.
type systemTime struct{ start time.Time }

func (s systemTime) Wall() int64         { return time.Now().UnixNano() }
func (s systemTime) Mono() time.Duration { return time.Since(s.start) }

// clock makes stream time: monotone, at the pace of the monotonic clock. Behind the wall clock it jumps to it; ahead
// of it, it runs at half speed until level. One goroutine uses it.
type clock struct {
	src  TimeSource
	at   int64         // stream time when last read, unix ns
	mono time.Duration // monotonic time then
}

// newClock starts at the wall clock, or at the last record's time where that is later.
func newClock(src TimeSource, last int64) *clock {
	return &clock{src: src, at: max(last, src.Wall()), mono: src.Mono()}
}

// now returns stream time, and how far it would have been from the wall clock without the correction: d > 0 means that
// the stream is ahead. A jump over time that passed while nobody ran the clock is no difference.
func (c *clock) now() (t int64, d time.Duration) {
	wall, mono := c.src.Wall(), c.src.Mono()
	passed := max(mono-c.mono, 0)
	d = time.Duration(c.at + int64(passed) - wall)
	t = max(wall, c.at+int64(passed/2))
	c.at, c.mono = t, mono
	return t, d
}
