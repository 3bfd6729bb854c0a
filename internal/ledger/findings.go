// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// The findings: event.action of the events of data set haidang.ledger.
const (
	ActionUnbalanced = "ledger-unbalanced" // a hop lost something, or more of it
	ActionBalanced   = "ledger-balanced"   // what was missing has come
	ActionSilent     = "origin-silent"     // an origin is silent against its own rhythm
)

// maxFound bounds what waits to be told; beyond it the oldest are forgotten, the book keeps them.
const maxFound = 4096

// Finding is something that rules and people should know.
type Finding struct {
	Action, Hop, Source      string
	Origin, Site, Addr, Host string
	Since                    time.Time
	Count                    int64 // missing since the last finding; negative: too many
	At                       string
	Seconds, Usual           int64 // silent for, and the longest usual pause
}

// find keeps a finding to be told. l.mu is held.
func (l *Ledger) find(f Finding) {
	if len(l.found) >= maxFound {
		l.found = l.found[1:]
	}
	l.found = append(l.found, f)
}

// tell writes what was found as events of the source Source.
func (l *Ledger) tell(ctx context.Context, out event.Writer, known func() (spool.Ack, bool)) error {
	l.mu.Lock()
	list := slices.Clone(l.found[:min(len(l.found), 256)])
	now := l.cfg.Now()
	l.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	at := spool.Ack{Source: Source, Epoch: 1}
	if k, ok := known(); ok {
		at = k
	}
	b := event.NewBuilder(Source, at.Epoch)
	for i := range list {
		list[i].build(b, at.Last+uint64(i), now)
	}
	if err := out.Write(ctx, b.Batch(at.Last, at.Last+uint64(len(list)))); err != nil {
		return fmt.Errorf("ledger: writing findings: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found = l.found[min(len(list), len(l.found)):]
	return nil
}

func (f *Finding) build(b *event.Builder, unit uint64, now time.Time) {
	b.Begin(unit, 0)
	b.Time(event.Timestamp, now.UnixNano())
	b.Time(event.EventCreated, now.UnixNano())
	b.Str(event.EventKind, "event")
	b.Str(event.EventModule, "haidang")
	b.Str(event.EventDataset, "haidang.ledger")
	b.Str(event.EventAction, f.Action)
	b.Time(event.EventStart, f.Since.UnixNano())
	b.Str(event.Message, f.Text())
	if f.Action == ActionSilent {
		b.Str(event.HaidangOrigin, f.Origin)
		b.Str(event.HaidangSite, f.Site)
		b.Str(event.HostName, f.Host)
		if a, err := netip.ParseAddr(f.Addr); err == nil {
			b.IPs(event.ObserverIP, a)
		}
		b.Int(event.HaidangSilenceSeconds, f.Seconds)
	} else {
		b.Str(event.HaidangLedgerHop, f.Hop)
		b.Str(event.HaidangLedgerSource, f.Source)
		b.Int(event.HaidangDropCount, f.Count)
	}
	b.End()
}

// Text says the finding in Vietnamese.
func (f *Finding) Text() string {
	since := f.Since.UTC().Format(time.RFC3339)
	switch {
	case f.Action == ActionSilent:
		return fmt.Sprintf("Nguồn %s im lặng %d giây; thường không quá %d giây", f.Origin, f.Seconds, f.Usual)
	case f.Action == ActionBalanced:
		return fmt.Sprintf("Sổ cân bằng trở lại ở chặng %s của %s", f.Hop, f.Source)
	case f.Count < 0:
		return fmt.Sprintf("Sổ không cân bằng ở chặng %s của %s: thừa %d, từ %s, vị trí %s", f.Hop, f.Source, -f.Count,
			since, f.At)
	}
	return fmt.Sprintf("Sổ không cân bằng ở chặng %s của %s: thiếu %d, từ %s, vị trí %s", f.Hop, f.Source, f.Count,
		since, f.At)
}
