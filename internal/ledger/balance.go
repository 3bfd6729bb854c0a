// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"strconv"
	"time"
)

// Trouble is a hop of a source at which in is not out plus explained.
type Trouble struct {
	Hop   string    `json:"hop"`
	Since time.Time `json:"since"` // when it was first seen
	Count int64     `json:"count"` // that are missing; negative: too many
	At    string    `json:"at"`    // position of the source when it last changed
	Told  int64     `json:"told"`  // of Count, in findings so far

	changed time.Time
}

// listening is the watch over what a listener has read and nobody has taken yet.
type listening struct {
	since  time.Time
	least  int64
	looks  int
	errors uint64
}

// Evaluate compares the stages where they stand at the same position, and notes findings.
func (l *Ledger) Evaluate() {
	var heard []Listener
	if l.cfg.Listeners != nil {
		heard = l.cfg.Listeners()
	}
	now := l.cfg.Now().UTC()
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.cfg.End() // what was acknowledged before now is at or before it
	for _, x := range heard {
		l.source(x.Source).listen(x, l.busy[x.Source] > 0, now, l.cfg.Settle)
	}
	for name, s := range l.book.Sources {
		if l.book.Stream.Seq >= l.start.Seq {
			s.await(end, l.book.Stream)
		}
		l.note(name, s, HopListener, s.ListenLost, now)
		l.note(name, s, HopDecode, s.DecodeLost, now)
		spooled := s.SpoolLost
		if spooled == 0 {
			spooled = int64(s.HoleUnits)
		}
		l.note(name, s, HopSpool, spooled, now)
		l.note(name, s, HopStore, int64(s.Given)-int64(s.Stored)-int64(s.Expired)-int64(s.Dead), now)
	}
	l.note("(records)", &l.book.Records, HopSpool, int64(l.book.Unread), now)
	l.note("(records)", &l.book.Records, HopStore, int64(l.book.Unstored), now)
	l.origins(end.Seq)
}

// await begins or ends the comparison of what was written with what was read back.
func (s *source) await(end, read Place) {
	if p := s.pending; p != nil {
		if read.Seq < p.end {
			return
		}
		// Everything acknowledged then has been read, and the place was not reached: it is lost.
		s.SpoolLost, s.pending = int64(p.count)-int64(s.Streamed), nil
	}
	if len(s.Out.Spans) != 1 {
		return
	}
	at := mark{s.Out.Epoch, s.Out.last()}
	switch {
	case at == s.Stream:
		s.SpoolLost = int64(s.OutEvents) - int64(s.Streamed)
	case at.Epoch > s.Stream.Epoch || at.Epoch == s.Stream.Epoch && at.Last > s.Stream.Last:
		s.pending = &pending{at, s.OutEvents, end.Seq}
	}
}

// compare ends a comparison whose place the stream has reached.
func (s *source) compare() {
	p := s.pending
	if p == nil || p.at.Epoch != s.Stream.Epoch || p.at.Last > s.Stream.Last {
		return
	}
	if p.at == s.Stream {
		s.SpoolLost = int64(p.count) - int64(s.Streamed)
	}
	s.pending = nil // a batch that reaches over the place: another comparison will come
}

// listen compares a listener's own counts, of this process, with what came in.
func (s *source) listen(x Listener, busy bool, now time.Time, settle time.Duration) {
	s.counts, s.kind = x.Counts, x.Kind
	accepted, dropped := x.Counts["accepted"], uint64(0)
	for _, r := range []string{"queue", "stop", "stale"} {
		dropped += x.Counts["dropped."+r]
	}
	if accepted > s.life {
		s.ListenLost = s.listenEnded + int64(accepted-s.life)
		return
	}
	if x.Kind == "netflow" { // it counts its own reports as taken
		accepted -= min(s.own, accepted)
	}
	waiting := int64(x.Counts["received"]) - int64(dropped) - int64(accepted)
	s.waiting = uint64(max(waiting, 0))
	w := &s.idle
	switch {
	case waiting <= 0:
		s.ListenLost = s.listenEnded
		*w = listening{}
		return
	case w.looks == 0 || w.errors != x.Counts["write_errors"]:
		*w = listening{since: now, least: waiting, errors: x.Counts["write_errors"]}
	}
	if busy { // it waits behind what is being written
		return
	}
	w.looks++
	w.least = min(w.least, waiting)
	if w.looks >= 5 && now.Sub(w.since) >= settle {
		s.ListenLost = s.listenEnded + w.least
		*w = listening{}
	}
}

// note keeps what a hop is out of balance by, and finds when it has been for long enough. l.mu is held.
func (l *Ledger) note(name string, s *source, hop string, count int64, now time.Time) {
	t := s.Troubles[hop]
	switch {
	case count == 0 && t == nil:
		return
	case count == 0:
		if t.Told != 0 {
			l.find(Finding{Action: ActionBalanced, Hop: hop, Source: name, Since: t.Since, Count: t.Told, At: t.At})
		}
		delete(s.Troubles, hop)
		return
	case t == nil:
		if s.Troubles == nil {
			s.Troubles = map[string]*Trouble{}
		}
		t = &Trouble{Hop: hop, Since: now}
		s.Troubles[hop] = t
	}
	if t.Count != count {
		t.Count, t.changed, t.At = count, now, s.Stream.String()
	}
	if t.Told != t.Count && now.Sub(t.changed) >= l.cfg.Settle || t.Told == 0 && now.Sub(t.Since) >= l.cfg.Settle {
		l.find(Finding{Action: ActionUnbalanced, Hop: hop, Source: name, Since: t.Since, Count: t.Count - t.Told, At: t.At})
		t.Told = t.Count
	}
}

// origins compares, origin by origin, what was written before a place with what was read up to it, and looks for
// silence. l.mu is held.
func (l *Ledger) origins(end uint64) {
	if l.snap != 0 && l.book.Stream.Seq < l.snap {
		return
	}
	caught := l.book.Stream.Seq >= l.start.Seq
	for name, o := range l.book.Origins {
		if l.snap != 0 {
			o.Lost = max(o.Lost, int64(o.snap)-int64(o.Streamed)) // never more than there are: what is under way hides some
		}
		if caught {
			o.snap = o.Accepted
		}
		if quiet := o.silence(l.began, l.tick); quiet > 0 && !o.Silent && name != "" && name != Other {
			o.Silent = true
			l.find(Finding{Action: ActionSilent, Origin: name, Site: o.Site, Addr: o.Addr, Host: o.Host,
				Since: time.Unix(0, o.LastSeen).UTC(), Seconds: int64(quiet / time.Second), Usual: int64(o.Usual)})
		}
	}
	if l.snap = 0; caught {
		l.snap = max(end, 1)
	}
}

// String is epoch:unit.
func (m mark) String() string {
	return strconv.FormatUint(m.Epoch, 10) + ":" + strconv.FormatUint(m.Last, 10)
}

// troubles are those of a source, in the order of the hops.
func (s *source) troubles() (list []Trouble) {
	for _, hop := range []string{HopListener, HopDecode, HopSpool, HopStore} {
		if t := s.Troubles[hop]; t != nil {
			list = append(list, *t)
		}
	}
	return slices.Clip(list)
}
