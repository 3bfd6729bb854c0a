// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"cmp"
	"slices"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// vietnam is the zone in which a text comes into force at midnight.
var vietnam = time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)

// dayOf returns the Vietnamese day of a moment, as profiles write it: midnight UTC.
func dayOf(t time.Time) time.Time {
	y, m, d := t.In(vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Measures returns what the law asks of a system on a day, one figure a key, ordered by key: the profile in force that
// day (a profile that has ended gives way to its successor) and the overlays; where several speak, the strictest wins.
// Of a nil system, an address that nobody claims, the law asks nothing yet.
func (inv *Inventory) Measures(s *System, day time.Time) []Figure {
	if s == nil {
		return nil
	}
	best := map[string]Figure{}
	for _, p := range inv.inForce(s, dayOf(day)) {
		for _, f := range p.figures {
			if f.level != s.Effective {
				continue
			}
			if o, ok := best[f.Key]; !ok || stricter(f.Figure, o) {
				best[f.Key] = f.Figure
			}
		}
	}
	out := make([]Figure, 0, len(best))
	for _, f := range best {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Figure) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// longerIsStricter are the measures of which more is stricter: how long logs are kept, and what must exist at all.
// Every other figure is an interval or a deadline, of which less is stricter.
var longerIsStricter = []string{"retention_days", "monitoring_store_days", "dr_site_km"}

// stricter reports whether a asks for more than b; of equal figures the one that is better known wins.
func stricter(a, b Figure) bool {
	if a.Value == b.Value {
		return a.Certainty < b.Certainty // F1 < F2 < I < M
	}
	if slices.Contains(longerIsStricter, a.Key) {
		return a.Value > b.Value
	}
	return a.Value < b.Value
}

// inForce returns the profile that binds a system on a day and the overlays in force, the profile first.
func (inv *Inventory) inForce(s *System, day time.Time) []*profile {
	var out []*profile
	p := inv.profiles.byID[s.Profile]
	for range inv.profiles.list { // a circle of successors ends
		if p == nil || p.end.IsZero() || day.Before(p.end) || p.successor == "" {
			break
		}
		p = inv.profiles.byID[p.successor]
	}
	if p != nil {
		out = append(out, p)
	}
	for _, id := range s.Overlays {
		if o := inv.profiles.byID[id]; o != nil && covers(o.since, o.end, day) {
			out = append(out, o)
		}
	}
	return out
}

func covers(since, end, day time.Time) bool {
	return !day.Before(since) && (end.IsZero() || day.Before(end))
}

// Duties returns the reporting clocks that bind a system on a day, whatever its profile: immediate first, then by time,
// legacy ones last. A nil system stands for an address that nobody claims: what binds every system binds it too.
func (inv *Inventory) Duties(s *System, day time.Time) []Duty {
	var out []Duty
	day = dayOf(day)
	if s == nil {
		s = &System{Effective: inv.policy.unmapped}
	}
	for _, p := range inv.profiles.list {
		for _, d := range p.duties {
			if covers(d.since, d.end, day) && s.Effective >= d.minLevel &&
				(d.overlay == "" || slices.Contains(s.Overlays, d.overlay)) {
				out = append(out, d)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Duty) int {
		if a.Legacy != b.Legacy {
			if a.Legacy {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Within, b.Within), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Basis returns the chain of clauses that imposes the duty to watch a system (căn cứ): its profile's, then its
// overlays'. Of a nil system, an address that nobody claims, there is none.
func (inv *Inventory) Basis(s *System) []Clause {
	if s == nil {
		return nil
	}
	var out []Clause
	for _, id := range append([]string{s.Profile}, s.Overlays...) {
		p := inv.profiles.byID[id]
		if p == nil {
			continue
		}
		for _, l := range p.basis {
			if l.low <= s.Effective && s.Effective <= l.high {
				out = append(out, l.Clause)
			}
		}
	}
	return out
}

// RetentionClass returns for how many days the events of a system are kept: 30, 90, 180, 365 or 730, the larger of the
// policy's floor and the strictest legal figure, now or announced, rounded up. A recorded exception may go below the
// floor, never below the law. Of a nil system it is the floor.
func (inv *Inventory) RetentionClass(s *System) int {
	days := inv.policy.floor
	if s != nil {
		if x, ok := inv.policy.exceptions[s.ID]; ok {
			days = x.days
		}
		days = max(days, inv.legalRetention(s))
	}
	for _, c := range retentionClasses {
		if days <= c {
			return c
		}
	}
	return retentionClasses[len(retentionClasses)-1]
}

// legalRetention is the strictest figure of the profile, its successors and the overlays, whatever the day: what is
// logged today is still there when the next text binds. It counts every level up to the system's, so that raising a
// level never shortens it.
func (inv *Inventory) legalRetention(s *System) (days int) {
	seen := append([]string{s.Profile}, s.Overlays...)
	for i := 0; i < len(seen); i++ {
		p := inv.profiles.byID[seen[i]]
		if p == nil {
			continue
		}
		for _, f := range p.figures {
			if longer := f.Key == "retention_days" || f.Key == "monitoring_store_days"; longer && f.level <= s.Effective {
				days = max(days, f.Value)
			}
		}
		if p.successor != "" && !slices.Contains(seen, p.successor) {
			seen = append(seen, p.successor)
		}
	}
	return days
}

// Retention returns for how many days an event is kept: the longest class of the systems it touches, the floor's when
// it touches none. It does not allocate.
func (inv *Inventory) Retention(e event.Event) int {
	days := 0
	for _, id := range [...]event.FieldID{event.HaidangSystemID, event.HaidangSourceSystemID,
		event.HaidangDestinationSystemID} {
		if v, ok := e.Get(id); ok {
			days = max(days, inv.retention[v.Str()])
		}
	}
	if days == 0 {
		return inv.RetentionClass(nil)
	}
	return days
}
