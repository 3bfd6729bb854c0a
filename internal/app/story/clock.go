// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package story is the night that `haidang demo` tells: ordinary traffic of a province, and an intrusion within it.
//
// The story is played through real sockets into a real server; only time is told faster than it happened, by a Clock
// that the server takes its own time from. The same seed tells the same night.
package story

import (
	"sync"
	"time"
)

// Clock runs from a time of the story at a multiple of real time. Safe for concurrent use.
type Clock struct {
	mu    sync.Mutex
	from  time.Time // of the story
	since time.Time // real
	mono  time.Duration
	speed float64
}

// NewClock starts at a time of the story.
func NewClock(from time.Time, speed float64) *Clock {
	return &Clock{from: from, since: time.Now(), speed: speed}
}

func (c *Clock) passed() time.Duration { return time.Duration(float64(time.Since(c.since)) * c.speed) }

// Now is the time of the story.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from.Add(c.passed())
}

// Wall is Now in nanoseconds since 1970: with Mono it is the server's time source.
func (c *Clock) Wall() int64 { return c.Now().UnixNano() }

// Mono is the story's time since its begin.
func (c *Clock) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mono + c.passed()
}

// SetSpeed changes the pace from now on.
func (c *Clock) SetSpeed(speed float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.passed()
	c.from, c.mono, c.since, c.speed = c.from.Add(d), c.mono+d, time.Now(), speed
}

// Until is how much real time passes until a time of the story.
func (c *Clock) Until(t time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(float64(t.Sub(c.from.Add(c.passed()))) / c.speed)
}
