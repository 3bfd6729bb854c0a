// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// Decision is what Zones has come to believe of a sender.
type Decision struct {
	Sender     Sender
	Host       string // the name in the header of the line that decided
	Listener   string
	Received   time.Time      // of that line
	Offset     int            // seconds east of Greenwich
	Home       bool           // it is the configured zone again
	Configured *time.Location // which is this
}

// Zone is the zone as event.timezone has it.
func (d *Decision) Zone() string {
	if d.Home {
		return d.Configured.String()
	}
	return offsetName(d.Offset)
}

// Text says the decision in Vietnamese.
func (d *Decision) Text() string {
	name, home := d.Sender.String(), d.Configured.String()
	if d.Home {
		return "Đồng hồ của nguồn " + name + " lại chạy theo múi giờ trong cấu hình (" + home +
			"): từ đây giờ của nguồn được đọc theo múi giờ đó"
	}
	zone := "UTC" + d.Zone()
	return "Nguồn " + name + " không ghi múi giờ; đồng hồ của nguồn chạy theo " + zone + " chứ không theo " + home +
		" như cấu hình: từ đây giờ của nguồn được đọc theo " + zone +
		". Hãy ghi múi giờ của nguồn vào mục origins của cấu hình"
}

// rezone shows the header to Zones. It returns the zone to read the message in, if that is not the configured one.
func (x *line) rezone(received time.Time) *time.Location {
	m, h := x.m, &x.head
	z := m.zones
	if z == nil || !m.Peer.IsValid() && m.agent == "" {
		return nil
	}
	s := sighting{
		sender:   Sender{Site: m.Site, Agent: m.agent, Peer: m.Peer},
		wall:     h.Wall,
		received: received.UnixNano(),
		evidence: h.TimeClaimed && !h.ZoneClaimed && h.ClockMark != '*', // Cisco's *: the clock was never set
	}
	if z.cfg.Relay != nil && z.cfg.Relay(m.Peer) {
		s.sender.Host = view(h.Hostname)
	}
	configured := m.Zone
	if configured == nil {
		configured = defaultZone
	}
	_, s.configured = received.In(configured).Zone()
	zone, decided := z.see(s)
	if decided && z.cfg.Decided != nil {
		d := Decision{Sender: s.sender.clone(), Host: strings.Clone(view(h.Hostname)), Listener: strings.Clone(m.Listener),
			Received: received, Home: zone == nil, Configured: configured}
		if zone != nil {
			_, d.Offset = received.In(zone).Zone()
		}
		z.cfg.Decided(d)
	}
	if zone == nil {
		return nil
	}
	m.Zone = zone
	if s.evidence {
		x.b.Str(event.EventTimezone, zone.String())
	}
	return zone
}

// String names the sender for people.
func (s Sender) String() string {
	name := s.Agent
	if name == "" {
		name = s.Peer.String()
	}
	if s.Host != "" {
		name += " " + s.Host
	}
	return name
}

// clone is a copy that does not alias a message.
func (s Sender) clone() Sender {
	s.Site, s.Agent, s.Host = strings.Clone(s.Site), strings.Clone(s.Agent), strings.Clone(s.Host)
	return s
}
