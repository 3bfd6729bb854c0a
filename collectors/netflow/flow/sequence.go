// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import "time"

const (
	reorderWindow = 3 * time.Second // within which a late datagram still fills its gap
	maxBack       = 10_000          // ms by which an exporter's clock falls without having started anew
	farJump       = 1 << 20         // a jump beyond this is no loss
)

// sequence watches the sequence numbers of one exporter's domain. The number counts flow records in v5, datagrams in
// v9 and data records in IPFIX, modulo 2^32.
//
// A datagram that does not go on with the run and fills no gap of it is a duplicate, a straggler, or the first of an
// exporter that started anew: only what comes later tells. So it begins another run beside the first, which takes its
// place when the exporter's clock fell back too, or when the first got nothing for as long as datagrams may be late.
// Until then gaps of both are kept apart, and none of the other is a loss.
type sequence struct {
	run
	uptime    uint32
	restarted int64 // when a run took the place of another
	other     run   // what may be the next life; n is 0 when nothing is

	lost, late, restarts uint64 // not reported yet
}

// doubt says whether the units of a datagram could be counted.
type doubt uint8

const (
	counted  doubt = iota
	awaited        // some of it waits for its template, and will be counted then
	hopeless       // some of it cannot be counted
)

// see takes note of a datagram that holds units units, or more if there is doubt.
func (s *sequence) see(h *head, units uint32, d doubt) {
	if s.n == 0 {
		s.run, s.uptime = begin(h, units, d), h.uptime
		return
	}
	up, booted := int32(h.uptime-s.uptime), false
	stray := false // of the life before
	if h.version != 10 {
		booted = up < -maxBack
		stray = s.restarted != 0 && h.received-s.restarted < int64(reorderWindow) &&
			int64(up) > maxBack+(h.received-s.at)/int64(time.Millisecond)
	}
	if !booted && !stray {
		if ahead := int32(h.sequence - s.expected); ahead >= 0 && ahead <= farJump {
			if next := int32(h.sequence - s.other.expected); s.doubt == counted && s.other.n > 1 && next >= 0 &&
				next < ahead {
				s.other.take(h, units, d) // the new life has passed the point where the old one ended
				s.adopt(h)
				return
			}
			s.lost += s.ahead(h, units, d)
			s.uptime = h.uptime
			return
		}
	}
	filled := !booted && !stray && s.fill(h.sequence, units)
	if !booted {
		s.late++
	}
	if !(s.other.n > 0 && s.other.take(h, units, d)) && !filled {
		s.other = begin(h, units, d)
	}
	if s.other.n > 1 && !stray && (booted || h.received-s.at > int64(reorderWindow)) {
		s.adopt(h)
	}
}

// adopt puts the other run in the place of the first, whose gaps nothing will fill any more.
func (s *sequence) adopt(h *head) {
	s.lost += s.decide(len(s.gaps)) + s.other.gone
	s.run, s.uptime, s.other = s.other, h.uptime, run{}
	s.gone = 0
	s.restarted = h.received
	s.restarts++
}

// settle decides the gaps that no late datagram can fill any more, and returns the losses not reported before.
func (s *sequence) settle(now int64) uint64 {
	s.lost += s.expired(now)
	lost := s.lost
	s.lost = 0
	return lost
}

// explain says that units of a datagram seen before could be counted after all.
func (s *sequence) explain(seq, units uint32) {
	if !s.run.explain(seq, units) && s.other.n > 0 {
		s.other.explain(seq, units)
	}
}

// resolve says that nothing waits to be counted any more: all of it was (known), or some never will be.
func (s *sequence) resolve(known bool) {
	s.run.resolve(known)
	s.other.resolve(known)
}
