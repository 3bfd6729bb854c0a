// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// teller writes the datagrams of an exporter of one version; its sequence number counts what that version counts.
type teller struct {
	version  uint16
	sequence uint32
	booted   time.Duration // when it started, on the clock of the test
	template uint16        // id, in v9 and IPFIX
	every    int           // datagrams from one template to the next
	sent     int
}

// tell returns a datagram of so many flows, sent at a time, and what it counts for in the sequence.
func (x *teller) tell(at time.Duration, flows int) (p []byte, units uint32) {
	be := binary.BigEndian
	uptime, now := uint32((at-x.booted)/time.Millisecond), uint32(1_790_000_000+at/time.Second)
	p = be.AppendUint16(p, x.version)
	switch x.version {
	case 5:
		p = be.AppendUint16(p, uint16(flows))
		for _, n := range []uint32{uptime, now, 0, x.sequence, 0} {
			p = be.AppendUint32(p, n)
		}
		p = append(p, make([]byte, 48*flows)...)
		units = uint32(flows)
	case 9:
		p = be.AppendUint16(p, uint16(flows))
		for _, n := range []uint32{uptime, now, x.sequence, 1} {
			p = be.AppendUint32(p, n)
		}
		p, units = append(p, x.sets(0, flows)...), 1
	case 10:
		sets := x.sets(2, flows)
		p = be.AppendUint16(p, uint16(16+len(sets)))
		for _, n := range []uint32{now, x.sequence, 1} {
			p = be.AppendUint32(p, n)
		}
		p, units = append(p, sets...), uint32(flows)
	}
	x.sequence += units
	x.sent++
	return p, units
}

func (x *teller) sets(id uint16, flows int) (p []byte) {
	if x.sent%x.every == 0 {
		p = set(id, x.template, 3, 8, 4, 12, 4, 1, 4)
	}
	words := make([]uint16, 0, 6*flows)
	for i := range flows {
		words = append(words, 0x0a00, uint16(i), 0x0a00, 2, 0, 77)
	}
	return append(p, set(x.template, words...)...)
}

// sent is a datagram under way.
type sent struct {
	p     []byte
	units uint32
	at    time.Duration // of its arrival
}

var versions = []uint16{5, 9, 10}

// hear gives the datagrams to a decoder, with a tick each second, and returns what it reports at the end.
func hear(list []sent) (Stats, uint64) {
	var told uint64
	d := NewDecoder(func(l Loss) { told += l.Count })
	from := netip.MustParseAddr("192.0.2.1")
	var tick time.Duration
	for _, s := range list {
		for ; tick < s.at; tick += time.Second {
			d.Tick(int64(tick))
		}
		_ = d.Decode(from, s.p, int64(s.at), func(*Flow) {})
	}
	for range 10 {
		d.Tick(int64(tick))
		tick += time.Second
	}
	return d.Stats(), told
}

// say makes n datagrams of an exporter, one a millisecond, 1 to 20 flows each.
func say(x *teller, r *rand.Rand, from time.Duration, n int) (list []sent) {
	for i := range n {
		at := from + time.Duration(i)*time.Millisecond
		p, units := x.tell(at, 1+r.IntN(20))
		list = append(list, sent{p, units, at})
	}
	return list
}

func exporter1(version uint16, sequence uint32) *teller {
	return &teller{version: version, sequence: sequence, booted: -time.Hour, template: 300, every: 20}
}

// TestOracleLoss drops a known share of the datagrams of each version, at random and in bursts, before, at and after
// the wrap of the sequence number: what is reported is within 0.1 points of what was dropped. Datagrams that hold a
// template are dropped as well.
func TestOracleLoss(t *testing.T) {
	const n = 20_000
	for _, version := range versions {
		for _, start := range []uint32{0, 4_000_000_000, 1<<32 - 3000, 1<<32 - 100_000} {
			for _, share := range []float64{0.001, 0.01, 0.05, 0.3} {
				for _, burst := range []int{1, 7, 40} {
					r := rand.New(rand.NewPCG(uint64(version), uint64(burst)))
					var kept []sent
					var units, dropped float64
					gone := 0
					list := say(exporter1(version, start), r, 0, n)
					for i, s := range list {
						units += float64(s.units)
						if gone == 0 && r.Float64() < share/float64(burst) {
							gone = burst
						}
						// What is lost before the first and after the last one that came cannot be known.
						if gone > 0 && i > 0 && i < n-1 {
							gone--
							dropped += float64(s.units)
							continue
						}
						kept = append(kept, s)
					}
					st, told := hear(kept)
					want, got := 100*dropped/units, 100*float64(told)/units
					if diff := got - want; diff > 0.1 || diff < -0.1 || st.Lost != told {
						t.Errorf("v%d from %d, bursts of %d: %.3f %% lost, %.3f %% reported (%+v)", version, start, burst,
							want, got, st)
					}
					if st.Restarts != 0 {
						t.Errorf("v%d from %d, %v lost in bursts of %d: %d restarts", version, start, share, burst, st.Restarts)
					}
				}
			}
		}
	}
}

// TestOracleLossReordering mixes datagrams up and sends some twice: nothing is lost, and nothing is reported.
func TestOracleLossReordering(t *testing.T) {
	for _, version := range versions {
		for _, depth := range []int{2, 10, 100, 400} {
			for _, first := range []int{0, 15} { // from the template on, or with data before it
				for _, twice := range []float64{0, 0.05} {
					r := rand.New(rand.NewPCG(uint64(version), uint64(depth)))
					list := say(exporter1(version, 1<<32-2000), r, 0, 5000)[first:]
					var mixed []sent
					for from := 0; from < len(list); from += depth {
						part := append([]sent(nil), list[from:min(from+depth, len(list))]...)
						at := part[0].at
						if from > 0 { // the first one is the first
							r.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
						}
						for _, s := range part {
							s.at = at
							mixed = append(mixed, s)
							if r.Float64() < twice {
								mixed = append(mixed, s)
							}
						}
						if r.Float64() < twice { // a mirror port repeats all of them
							mixed = append(mixed, part...)
						}
					}
					for i := 1; i < len(mixed); i++ {
						mixed[i].at = max(mixed[i].at, mixed[i-1].at)
					}
					if st, told := hear(mixed); told != 0 || st.Restarts != 0 {
						t.Errorf("v%d, within %d, from %d on, %.0f %% twice: %d reported lost, %d restarts", version, depth, first,
							100*twice, told, st.Restarts)
					}
				}
			}
		}
	}
}

// TestOracleLossRestart restarts exporters: at counts that are small, middling and large, with the same templates and
// with others that come late, with stragglers of the life before: no restart is a loss, and losses beside it are seen.
func TestOracleLossRestart(t *testing.T) {
	for _, version := range versions {
		for _, before := range []uint32{0, 50_000, 3 << 20, 1<<32 - 5000} {
			for _, c := range []struct {
				name       string
				template   uint16 // of the second life
				stragglers int
				drop       int // datagrams of the second life, in the middle
				down       time.Duration
			}{
				{"plain", 300, 0, 0, 5 * time.Second},
				{"fast", 300, 0, 0, 10 * time.Millisecond},
				{"stragglers", 300, 3, 0, 10 * time.Millisecond},
				{"other templates", 301, 0, 0, 5 * time.Second},
				{"losses beside it", 300, 0, 10, 5 * time.Second},
			} {
				r := rand.New(rand.NewPCG(uint64(version), uint64(before)))
				x := exporter1(version, before)
				first := say(x, r, 0, 2000)
				again := first[len(first)-1].at + c.down
				y := &teller{version: version, booted: again - 500*time.Millisecond, template: c.template, every: 20}
				if c.template != 300 {
					y.sent = 1 // its template comes with the twentieth
				}
				second := say(y, r, again, 9000)
				list := append([]sent(nil), first[:len(first)-c.stragglers]...)
				list = append(list, second[:c.stragglers]...)
				for _, s := range first[len(first)-c.stragglers:] {
					s.at = second[c.stragglers].at
					list = append(list, s)
				}
				var dropped uint64
				for i, s := range second[c.stragglers:] {
					if i >= 6000 && i < 6000+c.drop {
						dropped += uint64(s.units)
						continue
					}
					list = append(list, s)
				}
				if st, told := hear(list); told != dropped || st.Restarts != 1 {
					t.Errorf("v%d after %d, %s: %d lost, %d reported; %d restarts", version, before, c.name, dropped, told,
						st.Restarts)
				}
			}
		}
	}
}
