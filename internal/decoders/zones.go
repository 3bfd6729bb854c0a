// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// What it takes to believe that a sender is in another time zone than it was thought to be.
const (
	zoneNear   = int64(time.Minute)      // how far a clock may be off and still tell its zone
	zoneSteady = int64(15 * time.Second) // how far the lines of a steady clock may differ from one another
	zoneLines  = 8                       // how many must agree
	zoneEast   = int64(time.Minute)      // and for how long, if they claim to be from the future: no line is early
	zoneUTC    = 2 * int64(time.Minute)  // if they are of UTC, as servers are, or of the configured zone again
	zoneWest   = 15 * int64(time.Minute) // if they are of any other zone in which lines look late

	zoneStray = 8  // steady lines that make up for one that is not
	zoneScore = 64 // and how many are remembered

	zoneIdle   = int64(time.Hour)           // after which a silent sender makes room for another
	zoneForget = 30 * 24 * int64(time.Hour) // the same for one in a zone of its own
	quarter    = 15 * 60                    // seconds
	maxOrigins = 1 << 16
)

// Sender is who speaks, as zones are told apart.
type Sender struct {
	Site  string     `json:"site,omitempty"`
	Agent string     `json:"agent,omitempty"`
	Peer  netip.Addr `json:"peer"`
	Host  string     `json:"host,omitempty"` // behind a relay
}

// ZonesConfig is what Zones needs to know.
type ZonesConfig struct {
	// Fixed tells of which senders the configuration states the zone: of those nothing is guessed. nil means of none.
	Fixed func(peer netip.Addr) bool
	// Relay tells which senders pass on what others say: behind one the zone is that of each host name. nil: none is.
	Relay func(peer netip.Addr) bool
	// Known are the decisions of an earlier run, in seconds east of Greenwich.
	Known map[Sender]int
	// Decided is told of every decision, by the goroutine that decodes the line that decided; nil tells nobody.
	Decided func(Decision)
	// Limit bounds the senders that are watched; 0 means 65,536, about 200 bytes each.
	Limit int
}

// Zones guesses the time zone of senders whose messages name none. A sender whose clock, read as UTC, is ahead of the
// time of reception by the offset of a zone that is in use somewhere, within a minute, in at least eight lines over at
// least a minute that agree to 15 seconds, is in that zone. Until then its times are read in the configured one, so
// that its first minute of lines may be hours off (two minutes for UTC, a quarter of an hour for another zone whose
// times look late in the configured one); with Known that happens once, not after each restart.
//
// What keeps a guess sound: it is made of many lines of one sender, never of a single one. Lines that are late come
// with ever changing differences, so that they agree with no zone for a minute; one such among nine hinders no guess,
// and more hinder it. A clock that drifts never steps into another zone's minute: what it was before, it stays. A clock
// wrong by so much that it is no zone's stays as it is, for the rule about skew. A sender in two zones at once is in
// none. When a zone changes to or from summer time the guess follows, as much later as a new guess takes.
//
// Safe for concurrent use; it blocks for no longer than a look into a table.
type Zones struct {
	cfg     ZonesConfig
	offsets [zoneCount]*time.Location // one for each quarter of an hour

	mu      sync.Mutex
	by      map[Sender]*zoneState
	swept   int64 // time of reception of the last sweep
	guessed atomic.Uint64
	over    atomic.Uint64
}

// zoneState is what is remembered of a sender. Times are in nanoseconds, d is the sender's clock, read as UTC, minus
// the time of reception.
type zoneState struct {
	seen   int64 // last reception
	anchor int64 // d of the first of the lines that agree
	began  int64 // its reception
	since  int64 // reception of the first of them that speaks for another zone
	score  int8  // of lines that agree against such that do not
	votes  uint8 // of lines for another zone
	zone   int8  // that those lines are of, or noZone
	guess  int8  // that the sender was decided to be in, or noZone
}

// Zones are numbered by quarters of an hour east of Greenwich.
const (
	firstZone = -12 * 4
	lastZone  = 14 * 4
	zoneCount = lastZone - firstZone + 1
	noZone    = 127
)

// inUse tells the offsets that a clock on this earth shows today, with summer time.
func inUse(zone int64) bool {
	if zone < firstZone || zone > lastZone {
		return false
	}
	switch zone % 4 {
	case 0:
		return true
	case 2, -2:
		switch zone {
		case -38, -14, -10, 14, 18, 22, 26, 38, 42: // Marquesas, Newfoundland, Tehran, Kabul, India, Yangon, Adelaide
			return true
		}
	default:
		return zone == 23 || zone == 35 || zone == 51 || zone == 55 // Nepal, Eucla, Chatham
	}
	return false
}

// NewZones returns a Zones that knows what it is told it knew.
func NewZones(cfg ZonesConfig) *Zones {
	if cfg.Limit <= 0 {
		cfg.Limit = maxOrigins
	}
	z := &Zones{cfg: cfg, by: map[Sender]*zoneState{}}
	for i := range z.offsets {
		z.offsets[i] = time.FixedZone(offsetName((firstZone+i)*quarter), (firstZone+i)*quarter)
	}
	for s, offset := range cfg.Known {
		if n := int64(offset / quarter); offset%quarter == 0 && inUse(n) && len(z.by) < cfg.Limit {
			z.by[s] = &zoneState{guess: int8(n), zone: noZone}
		}
	}
	return z
}

// ZoneStats counts since the start, but for Origins and Elsewhere.
type ZoneStats struct {
	Guessed   uint64 // decisions
	Over      uint64 // messages of senders that there was no room to watch
	Origins   int    // senders watched now
	Elsewhere int    // senders now in another zone than configured
}

// Stats returns the counters.
func (z *Zones) Stats() ZoneStats {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := ZoneStats{Guessed: z.guessed.Load(), Over: z.over.Load(), Origins: len(z.by)}
	for _, st := range z.by {
		if st.guess != noZone {
			n.Elsewhere++
		}
	}
	return n
}

// Guesses returns the decisions that hold, for ZonesConfig.Known of the next run.
func (z *Zones) Guesses() map[Sender]int {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := map[Sender]int{}
	for s, st := range z.by {
		if st.guess != noZone {
			m[s] = int(st.guess) * quarter
		}
	}
	return m
}

// sighting is one message as evidence.
type sighting struct {
	sender     Sender // Host may alias the message
	wall       int64  // what its clock showed, read as UTC; used only if it is evidence
	received   int64
	evidence   bool // it names a time and no zone
	configured int  // seconds east of Greenwich, of the configured zone, at that time
}

// see takes a message into account. It returns the zone of its sender if that is not the configured one, else nil, and
// whether that was decided now.
func (z *Zones) see(s sighting) (zone *time.Location, decided bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	st := z.by[s.sender]
	if st == nil {
		if !s.evidence {
			return nil, false
		}
		if len(z.by) >= z.cfg.Limit && !z.sweep(s.received) {
			z.over.Add(1)
			return nil, false
		}
		st = &zoneState{guess: noZone, zone: noZone}
		z.by[s.sender.clone()] = st
	}
	st.seen = max(st.seen, s.received)
	if s.evidence && st.weigh(s) {
		decided = true
		st.votes, st.guess = 0, st.zone
		if int(st.zone)*quarter == s.configured {
			st.guess = noZone
		}
		z.guessed.Add(1)
	}
	if st.guess != noZone && int(st.guess)*quarter != s.configured {
		zone = z.offsets[int(st.guess)-firstZone]
	}
	return zone, decided
}

// weigh takes one line as evidence and tells whether there is enough of it for another zone than the one in use.
func (st *zoneState) weigh(s sighting) bool {
	d := s.wall - s.received
	off := d - st.anchor
	switch {
	case st.score > 0 && off <= zoneSteady && off >= -zoneSteady:
		st.score = min(st.score+1, zoneScore)
	case st.score > zoneStray:
		st.score -= zoneStray // late or early by itself
		return false
	default:
		// The clock stepped, or its lines agree with nothing. A small step, as of a clock that drifts, changes no zone,
		// unless it is that of a backlog that shrinks: then the lines before were late.
		if st.score == 0 || off > zoneNear || off < -zoneNear ||
			off > 0 && (st.zone == noZone || off > (s.received-st.began)/10) {
			st.zone = zoneOf(d)
		}
		st.anchor, st.began, st.score, st.votes = d, s.received, 1, 0
	}
	current := s.configured
	if st.guess != noZone {
		current = int(st.guess) * quarter
	}
	if is := zoneOf(d); st.zone == noZone || is != st.zone || int(is)*quarter == current {
		st.votes = 0
		return false
	}
	if st.votes == 0 {
		st.since = s.received
	}
	st.votes = min(st.votes+1, zoneLines)
	span := zoneWest
	switch zone := int(st.zone) * quarter; {
	case zone == 0 || zone == s.configured:
		span = zoneUTC
	case zone > s.configured && zone > current:
		span = zoneEast
	}
	return st.votes == zoneLines && s.received-st.since >= span
}

// zoneOf is the zone of a clock that, read as UTC, is d ahead; noZone where it is more than a minute off any.
func zoneOf(d int64) int8 {
	const step = int64(quarter * time.Second)
	n := (d + step/2) / step
	if d < -step/2 {
		n = (d - step/2) / step
	}
	if off := d - n*step; off > zoneNear || off < -zoneNear || !inUse(n) {
		return noZone
	}
	return int8(n)
}

// sweep forgets senders that have been silent for long and tells whether there is room now. It looks through the table
// at most once a minute.
func (z *Zones) sweep(now int64) bool {
	if now-z.swept < int64(time.Minute) && now >= z.swept {
		return false
	}
	z.swept = now
	for s, st := range z.by {
		if st.seen == 0 { // known from an earlier run
			st.seen = now
		}
		idle := zoneIdle
		if st.guess != noZone {
			idle = zoneForget
		}
		if now-st.seen > idle {
			delete(z.by, s)
		}
	}
	return len(z.by) < z.cfg.Limit
}

// offsetName writes an offset as "+07:00".
func offsetName(seconds int) string {
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	h, m := seconds/3600, seconds/60%60
	return string([]byte{sign, byte('0' + h/10), byte('0' + h%10), ':', byte('0' + m/10), byte('0' + m%10)})
}
