// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// View is the balance at one moment.
type View struct {
	At       time.Time `json:"at"`
	Since    time.Time `json:"since"`  // when counting began
	Reason   string    `json:"reason"` // why it began then
	Balanced bool      `json:"balanced"`
	Settled  bool      `json:"settled"` // every stage is at the end of the stream: nothing is under way
	End      uint64    `json:"end"`     // sequence of the stream's last record
	Stages   []Stage   `json:"stages"`
	Sources  []Row     `json:"sources"`
	Origins  int       `json:"origins"`
	Surplus  uint64    `json:"surplus"` // events of origins that found no row of their own
}

// Stage is how far a reader of the stream is.
type Stage struct {
	Name     string  `json:"name"`
	Position uint64  `json:"position"`
	Lag      uint64  `json:"lag"`         // records
	Seconds  float64 `json:"lag_seconds"` // of stream time; 0 where it is not known
	Skipped  uint64  `json:"skipped"`     // records that it never saw
}

// Row is the account of one source. Received, Accepted, Dropped and Waiting are in the listener's own unit (lines,
// datagrams) and 0 for what is no listener; the rest are events but for the units of drops and holes.
type Row struct {
	Source    string            `json:"source"`
	Kind      string            `json:"kind,omitempty"`
	Received  uint64            `json:"received"`
	Dropped   map[string]uint64 `json:"dropped,omitempty"` // by reason: kernel, queue, stop, stale
	Waiting   uint64            `json:"waiting"`
	Accepted  uint64            `json:"accepted"` // events acknowledged, new
	Known     uint64            `json:"known"`    // events acknowledged again without storing
	Cut       uint64            `json:"cut"`      // events of an overlap with what was known
	Reports   uint64            `json:"reports"`  // of Accepted: what the listener says of itself
	Decoded   uint64            `json:"decoded"`
	Undecoded uint64            `json:"undecoded"`
	Errors    uint64            `json:"errors"`
	Written   uint64            `json:"written"` // events that the spool has
	Read      uint64            `json:"read"`    // events read back from it
	DropUnits uint64            `json:"declared_drop_units"`
	DropWhy   string            `json:"declared_drop_reason,omitempty"`
	HoleUnits uint64            `json:"hole_units"`
	Given     uint64            `json:"given"` // handed to the store
	Stored    uint64            `json:"stored"`
	Expired   uint64            `json:"expired"`
	Dead      uint64            `json:"dead_letters"`
	At        Positions         `json:"positions"`
	LastSeen  *time.Time        `json:"last_seen,omitempty"`
	Loss      *Loss             `json:"loss,omitempty"`
	Troubles  []Trouble         `json:"troubles,omitempty"`
}

// Positions are the source's own, epoch:unit, by stage.
type Positions struct {
	Accepted string `json:"accepted"`
	Written  string `json:"written"`
	Read     string `json:"read"`
	Stored   string `json:"stored"`
}

// Loss is what was lost before it came here, as far as it can be measured.
type Loss struct {
	Datagrams       uint64  `json:"datagrams"`         // by the kernel's counter
	DatagramPercent float64 `json:"datagram_percent"`  // of all that reached this machine
	Flows           uint64  `json:"flows"`             // by the exporters' sequence numbers; datagrams for v9
	FlowPercent     float64 `json:"flow_percent"`      // of all that were exported
	Templates       uint64  `json:"template_misses"`   // datagrams that wait for a template
	Undecodable     uint64  `json:"undecodable"`       // datagrams, for any other reason
	Restarts        uint64  `json:"exporter_restarts"` // seen by their sequence numbers
}

// View returns the balance. Sources are ordered by name.
func (l *Ledger) View() View {
	now := l.cfg.Now().UTC()
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.cfg.End()
	v := View{At: now, Since: l.book.Since, Reason: l.book.Reason, Balanced: true, End: end.Seq,
		Origins: len(l.book.Origins), Surplus: l.book.Surplus, Sources: []Row{}}
	v.Stages = []Stage{
		{Name: "correlator", Position: l.book.Stream.Seq, Skipped: l.book.Unread, Seconds: l.behind(now, l.tick)},
		{Name: "store", Position: l.book.Store.Seq, Skipped: l.book.Unstored, Seconds: l.behind(now, l.storeTick)}}
	v.Settled = true
	for i := range v.Stages {
		st := &v.Stages[i]
		st.Lag = end.Seq - min(end.Seq, st.Position)
		v.Settled = v.Settled && st.Lag == 0
	}
	for name, s := range l.book.Sources {
		r := s.row(name)
		v.Balanced = v.Balanced && len(r.Troubles) == 0
		v.Sources = append(v.Sources, r)
	}
	if t := l.book.Records.troubles(); len(t) > 0 {
		v.Balanced = false
		v.Sources = append(v.Sources, Row{Source: "(records)", Troubles: t})
	}
	slices.SortFunc(v.Sources, func(a, b Row) int { return strings.Compare(a.Source, b.Source) })
	return v
}

func (l *Ledger) behind(now time.Time, at int64) float64 {
	if at == 0 {
		return 0
	}
	return max(now.Sub(time.Unix(0, at)).Seconds(), 0)
}

func (s *source) row(name string) Row {
	c := s.total()
	r := Row{Source: name, Kind: s.kind, Accepted: s.InEvents, Known: s.Known, Cut: s.Cut, Reports: s.Reports,
		Undecoded: s.Undecoded, Errors: s.Errors, Written: s.OutEvents, Read: s.Streamed, DropUnits: s.DropUnits,
		DropWhy: s.DropReason, HoleUnits: s.HoleUnits, Given: s.Given, Stored: s.Stored, Expired: s.Expired, Dead: s.Dead,
		Received: c["received"], Troubles: s.troubles(),
		At: Positions{mark{s.In.Epoch, s.In.last()}.String(), mark{s.Out.Epoch, s.Out.last()}.String(), s.Stream.String(),
			mark{s.StoreEpoch, s.StoreLast}.String()}}
	r.Decoded = s.OutEvents - min(s.OutEvents, s.Undecoded+s.Errors)
	if s.LastSeen != 0 {
		at := time.Unix(0, s.LastSeen).UTC()
		r.LastSeen = &at
	}
	for k, n := range c {
		if why, ok := strings.CutPrefix(k, "dropped."); ok && n > 0 {
			if r.Dropped == nil {
				r.Dropped = map[string]uint64{}
			}
			r.Dropped[why] = n
		}
	}
	if len(c) > 0 {
		r.Waiting = s.waiting
		r.Loss = lossOf(c)
	}
	return r
}

func lossOf(c map[string]uint64) *Loss {
	x := Loss{Datagrams: c["dropped.kernel"], Flows: c["lost"], Restarts: c["restarts"]}
	for k, n := range c {
		if why, ok := strings.CutPrefix(k, "undecoded."); ok {
			if why == "no_template" {
				x.Templates += n
			} else {
				x.Undecodable += n
			}
		}
	}
	x.DatagramPercent = percent(x.Datagrams, x.Datagrams+c["received"])
	x.FlowPercent = percent(x.Flows, x.Flows+c["flows"])
	return &x
}

func percent(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// Origin is who speaks, as far as the ledger knows.
type Origin struct {
	Name      string            `json:"origin"` // "" is what nobody sent: the program's own words
	Site      string            `json:"site,omitempty"`
	Address   string            `json:"address,omitempty"`
	Host      string            `json:"host,omitempty"`
	LooksLike string            `json:"looks_like"`
	Decoders  map[string]uint64 `json:"decoders,omitempty"`
	First     time.Time         `json:"first_seen"`
	Last      time.Time         `json:"last_seen"`
	Accepted  uint64            `json:"accepted"`
	Decoded   uint64            `json:"decoded"`
	Undecoded uint64            `json:"undecoded"`
	Errors    uint64            `json:"errors"`
	Read      uint64            `json:"read"`
	Stored    uint64            `json:"stored"`
	Expired   uint64            `json:"expired"`
	Dead      uint64            `json:"dead_letters"`
	Lost      int64             `json:"lost"` // written, but not read back, or handed to the store and not accounted for
	Skew      float64           `json:"skew_seconds"`
	Usual     float64           `json:"usual_pause_seconds"` // the longest usual pause
	Silent    bool              `json:"silent"`
	System    string            `json:"system,omitempty"` // filled in by who knows the inventory
	Unknown   bool              `json:"unknown"`          // no system claims it
}

// Origins returns who speaks, the busiest first.
func (l *Ledger) Origins() []Origin {
	l.mu.Lock()
	list := make([]Origin, 0, len(l.book.Origins))
	for name, o := range l.book.Origins {
		x := Origin{Name: name, Site: o.Site, Address: o.Addr, Host: o.Host, LooksLike: o.looksLike(),
			First: time.Unix(0, o.First).UTC(), Last: time.Unix(0, o.LastSeen).UTC(), Accepted: o.Accepted,
			Decoded:   o.Accepted - min(o.Accepted, o.Undecoded+o.Errors),
			Undecoded: o.Undecoded, Errors: o.Errors, Read: o.Streamed, Stored: o.Stored, Expired: o.Expired, Dead: o.Dead,
			Lost: o.Lost + int64(o.Given) - int64(o.Stored) - int64(o.Expired) - int64(o.Dead), Skew: o.Skew, Usual: o.Usual,
			Silent: o.Silent, Decoders: map[string]uint64{}}
		for _, t := range o.Decoders {
			if t.count > 0 {
				x.Decoders[t.name] = t.count
			}
		}
		list = append(list, x)
	}
	l.mu.Unlock()
	slices.SortFunc(list, func(a, b Origin) int {
		return cmp.Or(cmp.Compare(b.Accepted, a.Accepted), strings.Compare(a.Name, b.Name))
	})
	return list
}
