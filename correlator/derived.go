// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"net/netip"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// derive makes the events that the stream itself implies, matches them at this place, and hands them out for the
// stores.
func (e *Engine) derive(tell []*origin) {
	b := e.builder
	b.Reset(SourceDerived, 0)
	var n uint16
	for _, o := range tell {
		if b.Len() >= 1<<15 {
			break // the rest is told at the next tick
		}
		n = e.deriveSilence(b, o, n)
		n = e.deriveSkew(b, o, n)
	}
	if b.Len() == 0 {
		return
	}
	batch := b.Batch(e.at.Seq, e.at.Seq+1)
	for i := range batch.Len() {
		e.match(batch.At(i))
	}
	e.out.Derived = append(e.out.Derived, batch)
}

func (e *Engine) deriveSilence(b *event.Builder, o *origin, n uint16) uint16 {
	quiet := e.clock - e.down - o.seen
	if o.silent || o.watched.silence <= 0 || quiet < int64(o.watched.silence) {
		return n
	}
	o.silent = true
	e.begins(b, o, n)
	b.Str(event.EventDataset, "haidang.silence")
	b.Int(event.HaidangSilenceSeconds, quiet/int64(time.Second))
	b.Str(event.Message, "Nguồn "+o.Name+" không gửi gì trong "+span(quiet))
	b.End()
	return n + 1
}

func (e *Engine) deriveSkew(b *event.Builder, o *origin, n uint16) uint16 {
	s := &o.skew
	if s.n < skewEvents || e.clock-s.from < skewSpan {
		if s.n > 0 && e.clock-s.from >= 10*skewSpan {
			s.n = 0 // too few events in ten minutes to judge a clock by
		}
		return n
	}
	// The least difference is the clock's: what a line lost on its way only makes it look older.
	var off int64
	switch {
	case s.min > 0:
		off = s.min
	case s.max < 0:
		off = s.max
	}
	s.n = 0
	if limit := int64(e.cfg.Skew); off < limit && off > -limit-max(0, o.lateness-int64(e.cfg.Lateness)) {
		s.told = 0
		return n
	}
	if s.told > 0 && e.clock-s.told < skewAgain {
		return n
	}
	s.told = e.clock
	e.begins(b, o, n)
	b.Str(event.EventDataset, "haidang.skew")
	b.Float(event.HaidangSkewSeconds, float64(off)/1e9)
	word := " chạy nhanh "
	if off < 0 {
		word = " chạy chậm "
	}
	b.Str(event.Message, "Đồng hồ của nguồn "+o.Name+word+span(max(off, -off)))
	b.End()
	return n + 1
}

// begins starts an event about an origin.
func (e *Engine) begins(b *event.Builder, o *origin, n uint16) {
	b.Begin(e.at.Seq, n)
	b.Time(event.Timestamp, e.clock)
	b.Time(event.EventCreated, e.clock)
	b.Time(event.EventIngested, e.clock)
	b.Str(event.EventKind, "event")
	b.Str(event.EventModule, "haidang")
	b.Str(event.HaidangOrigin, o.Name)
	b.Str(event.HostName, o.Host)
	b.Str(event.HaidangSite, o.Site)
	if a, err := netip.ParseAddr(o.Addr); err == nil {
		b.IPs(event.ObserverIP, a)
	}
	w := &o.watched
	if w.System != nil {
		b.Str(event.HaidangSystemID, w.System.ID)
		b.Str(event.HaidangSystemName, w.System.Name)
		b.Str(event.HaidangSourceSystemID, w.System.ID)
		b.Str(event.HaidangSourceSystemName, w.System.Name)
		b.Strs(event.HaidangUnitID, w.System.Units()...)
	}
	b.Str(event.HaidangSourceZone, w.Zone)
	b.Str(event.HaidangLevelStatus, string(w.Status))
	if w.Level > 0 {
		b.Int(event.HaidangLevel, int64(w.Level))
		b.Int(event.HaidangSourceLevel, int64(w.Level))
	}
}

// span writes a length of time as analysts read it.
func span(ns int64) string { return time.Duration(ns).Round(time.Second).String() }
