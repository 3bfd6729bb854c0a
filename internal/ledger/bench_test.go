// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

type discard struct{}

func (discard) Write(context.Context, *event.Batch) error { return nil }

// BenchmarkBooking is what the ledger costs an event from intake to store.
func BenchmarkBooking(b *testing.B) {
	r := newRig(b, 1)
	w := r.l.Intake(r.l.Tap(discard{}))
	const n = 500
	b.ReportAllocs()
	unit, seq := uint64(0), uint64(0)
	for i := 0; i < b.N; i += n {
		b.StopTimer()
		batch := r.batch("listener/a", 1, unit, unit+n)
		unit += n
		seq++
		rec := spool.Record{At: spool.Position{Seq: seq}, Incarnation: "x", Kind: spool.KindBatches,
			Batches: []*event.Batch{batch}}
		b.StartTimer()
		if err := w.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		r.l.Streamed(&rec)
		if err := r.book.Append(b.Context(), &rec); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSave writes a book with as many origins as there may be.
func BenchmarkSave(b *testing.B) {
	r := newRig(b, 1)
	for i := range maxOrigins {
		o := r.l.newOrigin(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
		o.Addr, o.Site, o.Accepted, o.Streamed = "10.0.0.1", "dc1", 12345, 12345
		o.Decoders = tallies{{"sshd", 3}, {"sudo", 4}}
	}
	for b.Loop() {
		if err := r.l.Save(); err != nil {
			b.Fatal(err)
		}
	}
}
