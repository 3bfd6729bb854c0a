// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// restamp says of events that they were read at the time of another clock than the system's.
type restamp struct {
	next  event.Writer
	clock spool.TimeSource
}

// Write rebuilds the batch with the clock's time and writes it on.
func (r *restamp) Write(ctx context.Context, in *event.Batch) error {
	b := event.NewBuilder(in.Source(), in.Epoch())
	now := r.clock.Wall()
	for e := range in.Events() {
		b.Begin(e.ID().Unit(), 0)
		b.Copy(e)
		b.Time(event.EventCreated, now)
		b.End()
	}
	return r.next.Write(ctx, b.Batch(in.First(), in.Last()))
}
