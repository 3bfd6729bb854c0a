// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// maxBatch is the size in memory at which Writer starts another batch, so that an encoded one stays below 1 MiB.
const maxBatch = 900 << 10

// Writer is the stage of the pipeline that decodes: an event.Writer that builds every batch anew and gives it to Next.
// An event with haidang.format is raw and is decoded; any other (a flow) is copied. Then Enrich sees either. Ids,
// source, epoch and range stay as they are; a batch that grows beyond 1 MiB goes on as several with adjoining ranges.
//
// A panic of a decoder or of Enrich is recovered: its event goes on as a pipeline_error with event.original, counted.
// Write returns what Next returns, and blocks as long as Next does. Safe for concurrent use; the fields must be set
// before the first Write.
type Writer struct {
	Set  *Set
	Next event.Writer
	// Enrich adds what the inventory knows to the event being built; nil adds nothing.
	Enrich func(b *event.Builder, site string)
	// Origin gives the time zone and the encoding of a sender; nil means the defaults for all.
	Origin func(listener string, peer netip.Addr) (zone *time.Location, encoding string)
	// Strict tells of which listeners headers are parsed with the RFC library alone; nil means of none.
	Strict func(listener string) bool
	// Zones guesses the time zone of senders; nil reads all times in the zone that Origin gives.
	Zones *Zones
	// Panicked is told of every recovered panic; nil tells nobody. It must not block.
	Panicked func(value any)

	raw, copied, undecoded, refused, panics, truncated atomic.Uint64
	idle                                               sync.Pool // of *work
}

// Stats counts events since the start.
type Stats struct {
	Raw       uint64 // raw events decoded, whatever came out
	Copied    uint64 // events that were complete already
	Undecoded uint64 // of Raw: kept as plain messages, no decoder knew them
	Refused   uint64 // of Raw: pipeline_error, the header was unusable
	Panics    uint64 // of Raw: pipeline_error, a decoder or Enrich panicked
	Truncated uint64 // of Raw: cut to the limits
}

// Stats returns the counters.
func (w *Writer) Stats() Stats {
	return Stats{w.raw.Load(), w.copied.Load(), w.undecoded.Load(), w.refused.Load(), w.panics.Load(),
		w.truncated.Load()}
}

// work is what one Write needs; it is reused.
type work struct {
	b *event.Builder
	m Meta
}

// Write decodes and enriches the batch and writes it to Next.
func (w *Writer) Write(ctx context.Context, in *event.Batch) error {
	k, _ := w.idle.Get().(*work)
	if k == nil {
		k = &work{b: event.NewBuilder(in.Source(), in.Epoch())}
	}
	defer w.idle.Put(k)
	b := k.b
	b.Reset(in.Source(), in.Epoch())
	first := in.First()
	for i := range in.Len() {
		e := in.At(i)
		if unit := e.ID().Unit(); b.Size() > maxBatch && unit > first && unit < in.Last() &&
			in.At(i-1).ID().Unit() < unit {
			if err := w.Next.Write(ctx, b.Batch(first, unit)); err != nil {
				return err
			}
			first = unit
			b.Reset(in.Source(), in.Epoch())
		}
		b.Begin(0, 0)
		if e.Has(event.HaidangFormat) {
			w.raw.Add(1)
			w.decode(k, e)
		} else {
			w.copied.Add(1)
			w.copy(b, e)
		}
		b.End()
	}
	return w.Next.Write(ctx, b.Batch(first, in.Last()))
}

// copy takes over an event that is complete.
func (w *Writer) copy(b *event.Builder, e event.Event) {
	defer func() {
		if err := w.recovered(recover()); err != nil {
			b.Begin(0, 0)
			b.Copy(e)
			Unusable(b, err)
		}
	}()
	b.Copy(e)
	w.enrich(b, e.Text(event.HaidangSite))
}

// decode builds a raw event anew.
func (w *Writer) decode(k *work, e event.Event) {
	b, m := k.b, &k.m
	original := bytesOf(e.Text(event.EventOriginal))
	defer func() {
		if err := w.recovered(recover()); err != nil {
			b.Begin(0, 0)
			w.raws(b, e, m)
			w.Set.envelope(&line{b: b, m: m}, original, m.Received)
			b.Time(event.Timestamp, m.Received.UnixNano())
			Unusable(b, err)
		}
	}()
	w.raws(b, e, m)
	w.Set.Decode(b, original, m)
	w.enrich(b, m.Site)
	switch {
	case b.Text(event.EventKind) == "pipeline_error":
		w.refused.Add(1)
	case b.Text(event.HaidangDecoder) == fallback:
		w.undecoded.Add(1)
	}
	if b.Has(event.HaidangTruncated) {
		w.truncated.Add(1)
	}
}

// recovered counts a panic, if there was one, and makes it an error.
func (w *Writer) recovered(p any) error {
	if p == nil {
		return nil
	}
	w.panics.Add(1)
	if w.Panicked != nil {
		w.Panicked(p)
	}
	return fmt.Errorf("decoders: decoding a message: panic: %v", p)
}

// raws copies what a collector said about a raw event and puts it into m.
func (w *Writer) raws(b *event.Builder, e event.Event, m *Meta) {
	b.SetID(e.ID())
	for id, v := range e.Fields() {
		if id != event.EventOriginal && id != event.HaidangFormat {
			b.Value(id, v)
		}
	}
	if ns := e.Created(); ns != 0 {
		b.Time(event.EventCreated, ns)
	}
	if ns := e.Ingested(); ns != 0 {
		b.Time(event.EventIngested, ns)
	}
	*m = Meta{
		Site:     e.Text(event.HaidangSite),
		Listener: e.Text(event.HaidangListener),
		Format:   e.Text(event.HaidangFormat),
		Received: time.Now(),
	}
	if ns := e.Created(); ns != 0 {
		m.Received = time.Unix(0, ns)
	}
	if v, ok := e.Get(event.ObserverIP); ok {
		m.Peer = v.At(0).IP()
	}
	m.Strict = w.Strict != nil && w.Strict(m.Listener)
	if w.Origin != nil {
		m.Zone, m.Encoding = w.Origin(m.Listener, m.Peer)
	}
	if z := w.Zones; z != nil && (z.cfg.Fixed == nil || !z.cfg.Fixed(m.Peer)) {
		m.zones, m.agent = z, e.Text(event.AgentID)
	}
}

func (w *Writer) enrich(b *event.Builder, site string) {
	if w.Enrich != nil {
		w.Enrich(b, site)
	}
}
