// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

var sender = Sender{Peer: netip.MustParseAddr("10.20.1.2")}

// watch shows lines of one sender to a Zones and notes what it decides.
type watch struct {
	z       *Zones
	home    *time.Location
	decided []string // offset, or "home"
	at      []time.Time
}

func newWatch(t *testing.T, home string) *watch {
	t.Helper()
	w := &watch{home: zoneNamed(t, home)}
	w.z = NewZones(ZonesConfig{})
	return w
}

func zoneNamed(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// line is received at a time and claims what a clock in zone shows at another.
func (w *watch) line(received, claimed time.Time, zone *time.Location) {
	_, offset := claimed.In(zone).Zone()
	_, configured := received.In(w.home).Zone()
	guess, decided := w.z.see(sighting{sender: sender, wall: claimed.Add(time.Duration(offset) * time.Second).UnixNano(),
		received: received.UnixNano(), evidence: true, configured: configured})
	if decided {
		name := "home"
		if guess != nil {
			name = guess.String()
		}
		w.decided = append(w.decided, name)
		w.at = append(w.at, received)
	}
}

func (w *watch) want(t *testing.T, decisions ...string) {
	t.Helper()
	if len(w.decided) != len(decisions) {
		t.Fatalf("decided %v at %v, want %v", w.decided, w.at, decisions)
	}
	for i, d := range decisions {
		if w.decided[i] != d {
			t.Fatalf("decided %v at %v, want %v", w.decided, w.at, decisions)
		}
	}
}

const vietnam = "Asia/Ho_Chi_Minh"

// TestZoneGuessed wants a sender in another zone to be found out after eight lines and the time that the zone needs, no
// sooner, and stated once.
func TestZoneGuessed(t *testing.T) {
	for name, c := range map[string]struct {
		zone  string
		after time.Duration
	}{"UTC": {"+00:00", 2 * time.Minute}, "Asia/Shanghai": {"+08:00", time.Minute},
		"Asia/Kathmandu": {"+05:45", 15 * time.Minute}, "America/St_Johns": {"-03:30", 15 * time.Minute},
		"Pacific/Kiritimati": {"+14:00", time.Minute}, "Etc/GMT+12": {"-12:00", 15 * time.Minute}, vietnam: {}} {
		t.Run(name, func(t *testing.T) {
			w := newWatch(t, vietnam)
			zone := zoneNamed(t, name)
			for i := range 200 {
				at := received.Add(time.Duration(i) * 7 * time.Second)
				w.line(at, at.Add(-time.Duration(i%4)*time.Second), zone)
			}
			if c.zone == "" {
				w.want(t)
				return
			}
			w.want(t, c.zone)
			if d := w.at[0].Sub(received); d < c.after || d >= c.after+7*time.Second {
				t.Errorf("decided after %v", d)
			}
		})
	}
	w := newWatch(t, vietnam)
	for i := range 8 { // rare lines, all there are
		at := received.Add(time.Duration(i) * 10 * time.Minute)
		w.line(at, at, time.UTC)
		if i < 7 {
			w.want(t)
		}
	}
	w.want(t, "+00:00")
}

// TestZoneOutOfOrder wants lines that come late or out of order now and then to hinder no guess.
func TestZoneOutOfOrder(t *testing.T) {
	w := newWatch(t, vietnam)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		at := received.Add(time.Duration(i) * time.Second)
		late := time.Duration(r.IntN(8000)) * time.Millisecond
		if i%12 == 11 {
			late = time.Duration(r.IntN(20)) * time.Hour
		}
		w.line(at, at.Add(-late), time.UTC)
	}
	w.want(t, "+00:00")
}

// TestZoneLate wants no guess from lines that are merely late, whatever their pace.
func TestZoneLate(t *testing.T) {
	local := zoneNamed(t, vietnam)
	for name, c := range map[string]struct{ each, pace time.Duration }{
		"all at once":           {time.Second, time.Microsecond},
		"one second of them":    {time.Millisecond, time.Microsecond},
		"one instant, slowly":   {0, time.Second},
		"at double pace":        {2 * time.Second, time.Second},
		"faster than they were": {time.Second, 850 * time.Millisecond},
		"slower than they were": {time.Second, 1150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch(t, vietnam)
			for i := range 7000 {
				w.line(received.Add(time.Duration(i)*c.pace), received.Add(-7*time.Hour+time.Duration(i)*c.each), local)
			}
			w.want(t)
		})
	}
}

// TestZoneLateAmongOthers wants a backlog not to change what is known of a sender, in either zone.
func TestZoneLateAmongOthers(t *testing.T) {
	for _, zone := range []*time.Location{time.UTC, zoneNamed(t, vietnam)} {
		w := newWatch(t, vietnam)
		for i := range 3600 {
			at := received.Add(time.Duration(i) * time.Second)
			w.line(at, at, zone)
			if i > 600 && i < 1200 {
				for j := range 10 {
					w.line(at, at.Add(-7*time.Hour+time.Duration(10*i+j)*time.Second), zone)
				}
			}
		}
		if zone == time.UTC {
			w.want(t, "+00:00")
		} else {
			w.want(t)
		}
	}
}

// TestZoneDrift wants a clock that gains or loses, or that is wrong by what is no zone, to be in no zone: the rule
// about skew must see it.
func TestZoneDrift(t *testing.T) {
	local := zoneNamed(t, vietnam)
	for name, clock := range map[string]func(i int) time.Duration{
		"loses, past half an hour":      func(i int) time.Duration { return -time.Duration(i) * 50 * time.Millisecond },
		"gains, past an hour":           func(i int) time.Duration { return time.Duration(i) * 50 * time.Millisecond },
		"loses fast":                    func(i int) time.Duration { return -time.Duration(i) * time.Second },
		"is three minutes slow":         func(int) time.Duration { return -3 * time.Minute },
		"is a quarter of an hour slow":  func(int) time.Duration { return -15 * time.Minute },
		"is seven hours and three slow": func(int) time.Duration { return -7*time.Hour - 3*time.Minute },
		"is days off":                   func(int) time.Duration { return -49 * time.Hour },
		"is set right again": func(i int) time.Duration {
			if i < 3000 {
				return -14 * time.Minute
			}
			return 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch(t, vietnam)
			for i := 0; i < 80_000; i += 5 {
				at := received.Add(time.Duration(i) * time.Second)
				w.line(at, at.Add(clock(i)), local)
			}
			w.want(t)
		})
	}
	t.Run("is of another zone and was three minutes slow", func(t *testing.T) {
		w := newWatch(t, vietnam)
		for i := range 1000 {
			at := received.Add(time.Duration(i) * time.Second)
			claimed := at
			if i < 500 {
				claimed = at.Add(-3 * time.Minute)
			}
			w.line(at, claimed, time.UTC)
		}
		w.want(t, "+00:00")
	})
}

// TestZoneFirstLineLate wants a late first line not to spoil what follows, however late it is.
func TestZoneFirstLineLate(t *testing.T) {
	for late := 0; late < 7200; late += 7 {
		w := newWatch(t, vietnam)
		w.line(received, received.Add(-time.Duration(late)*time.Second), time.UTC)
		w.line(received, received.Add(-time.Duration(late/4)*time.Second), time.UTC)
		for i := range 30 {
			at := received.Add(time.Duration(i) * 20 * time.Second)
			w.line(at, at, time.UTC)
		}
		if len(w.decided) != 1 || w.decided[0] != "+00:00" {
			t.Fatalf("first line %d s late: decided %v", late, w.decided)
		}
	}
}

// TestZoneMixed wants a sender whose lines are of two zones, or one to whose lines others are added, to stay as it is.
func TestZoneMixed(t *testing.T) {
	local := zoneNamed(t, vietnam)
	for _, every := range []int{2, 3, 5, 8, 9, 20} { // of so many lines one is of UTC
		w := newWatch(t, vietnam)
		for i := range 50_000 {
			at := received.Add(time.Duration(i) * 100 * time.Millisecond)
			if i%every == 0 {
				w.line(at, at, time.UTC)
			} else {
				w.line(at, at, local)
			}
		}
		w.want(t)
	}
}

// TestZoneSummerTime wants guesses to follow a sender through the changes of its zone, and a configured zone to change
// without any.
func TestZoneSummerTime(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	start := time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC) // summer time ends on 25 October, 01:00 UTC
	spring := time.Date(2027, 3, 27, 22, 0, 0, 0, time.UTC) // and begins on 28 March, 01:00 UTC
	play := func(w *watch, from time.Time, zone *time.Location) {
		for i := range 3 * 3600 * 2 {
			at := from.Add(time.Duration(i) * 500 * time.Millisecond)
			w.line(at, at.Add(-time.Duration(i%5)*time.Second), zone)
		}
	}
	w := newWatch(t, vietnam)
	play(w, start, berlin)
	w.want(t, "+02:00")
	play(w, start.Add(150*time.Minute), berlin)
	w.want(t, "+02:00", "+01:00")
	if d := w.at[1].Sub(time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)); d < 15*time.Minute || d > 16*time.Minute {
		t.Errorf("followed after %v", d)
	}
	play(w, spring.Add(150*time.Minute), berlin)
	w.want(t, "+02:00", "+01:00", "+02:00")

	w = newWatch(t, "Europe/Berlin")
	for _, from := range []time.Time{start, start.Add(2 * time.Hour), spring, spring.Add(2 * time.Hour)} {
		play(w, from, berlin)
	}
	w.want(t)
	w = newWatch(t, "Europe/Berlin")
	for _, from := range []time.Time{start, start.Add(2 * time.Hour), spring, spring.Add(2 * time.Hour)} {
		play(w, from, time.UTC)
	}
	w.want(t, "+00:00")
}

// TestZoneHome wants a sender that is set right to be taken home.
func TestZoneHome(t *testing.T) {
	local := zoneNamed(t, vietnam)
	w := newWatch(t, vietnam)
	for i := range 400 {
		at := received.Add(time.Duration(i) * time.Second)
		if i < 200 {
			w.line(at, at, time.UTC)
		} else {
			w.line(at, at, local)
		}
	}
	w.want(t, "+00:00", "home")
	if n := w.z.Stats(); n.Guessed != 2 || n.Origins != 1 || n.Elsewhere != 0 || len(w.z.Guesses()) != 0 {
		t.Errorf("%+v", n)
	}
}

// TestZoneHonest plays senders of the configured zone with all the bad luck that lines can have: none is ever moved.
func TestZoneHonest(t *testing.T) {
	local := zoneNamed(t, vietnam)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := newWatch(t, vietnam)
		at := received
		var waiting []time.Time
		outage := false
		for range 3000 {
			at = at.Add(time.Duration(r.ExpFloat64() * float64(time.Duration(1+seed%40)*time.Second)))
			switch {
			case r.IntN(300) == 0:
				outage = !outage
			case r.IntN(500) == 0: // quiet for hours, or days
				at = at.Add(time.Duration(r.IntN(40)) * time.Hour)
			}
			waiting = append(waiting, at.Add(time.Duration(r.IntN(20)-10)*time.Second))
			if outage {
				continue
			}
			received := at
			for n := 1 + r.IntN(4); n > 0 && len(waiting) > 0; n-- { // the backlog goes out at some pace
				received = received.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
				w.line(received, waiting[0], local)
				waiting = waiting[1:]
			}
		}
		if len(w.decided) > 0 {
			t.Fatalf("seed %d: decided %v at %v", seed, w.decided, w.at)
		}
	}
}

// TestZoneLimit wants the table to stay bounded, those that were silent for an hour to make room, and guesses to stay.
func TestZoneLimit(t *testing.T) {
	known := map[Sender]int{sender: 9 * 3600, {Peer: netip.MustParseAddr("10.0.0.9")}: 1234, {}: 13 * quarter}
	z := NewZones(ZonesConfig{Limit: 100, Known: known})
	if got, want := z.Guesses(), map[Sender]int{sender: 9 * 3600}; !maps.Equal(got, want) {
		t.Fatalf("knows %v, want %v", got, want)
	}
	see := func(n int, at time.Time) {
		z.see(sighting{sender: Sender{Peer: netip.AddrFrom4([4]byte{10, 9, byte(n >> 8), byte(n)})}, evidence: true,
			wall: at.UnixNano(), received: at.UnixNano(), configured: 7 * 3600})
	}
	for n := range 1000 {
		see(n, received)
	}
	if s := z.Stats(); s.Origins != 100 || s.Over != 901 && s.Over != 900 || s.Elsewhere != 1 {
		t.Errorf("%+v", s)
	}
	see(5000, received.Add(2*time.Hour))
	if s := z.Stats(); s.Origins != 2 && s.Origins != 1 {
		t.Errorf("%+v", s)
	}
	zone, decided := z.see(sighting{sender: sender, received: received.UnixNano()})
	if zone == nil || zone.String() != "+09:00" || decided {
		t.Errorf("the known zone is %v, decided %v", zone, decided)
	}
}
