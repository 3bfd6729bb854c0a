// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// decision is what an event must state of a decision of Zones.
type decision struct {
	state      *zoneState
	sender     Sender
	host       string
	zone       *time.Location // nil: the configured one again
	configured *time.Location
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
	zone, due := z.see(s)
	if due != nil {
		s.sender.Host = strings.Clone(s.sender.Host)
		m.due = &decision{due, s.sender, strings.Clone(view(h.Hostname)), zone, configured}
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

// stateZone adds the event that states a decision of Zones to the batch, after the message that brought it and with its
// id but for the index: a batch that is written again has it once.
func (w *Writer) stateZone(k *work, id event.ID) {
	b, m, d := k.b, &k.m, k.m.due
	m.due = nil
	k.stated = append(k.stated, d.state)
	id[len(id)-2], id[len(id)-1] = 0xff, 0xff
	b.Begin(0, 0)
	b.SetID(id)
	now := m.Received.UnixNano()
	b.Time(event.Timestamp, now)
	b.Time(event.EventCreated, now)
	b.Str(event.EventKind, "event")
	b.Str(event.EventModule, "haidang")
	b.Str(event.EventDataset, "haidang.zone")
	b.Str(event.EventAction, "zone-guessed")
	b.Str(event.AgentID, m.agent)
	b.Str(event.HostName, d.host)
	b.Str(event.HaidangSite, m.Site)
	b.Str(event.HaidangListener, m.Listener)
	if m.Peer.IsValid() {
		b.IPs(event.ObserverIP, m.Peer)
	}
	name, home := d.sender.String(), d.configured.String()
	if d.zone == nil {
		b.Str(event.EventTimezone, home)
		b.Str(event.Message, "Đồng hồ của nguồn "+name+" lại chạy theo múi giờ trong cấu hình ("+home+
			"): từ đây giờ của nguồn được đọc theo múi giờ đó")
	} else {
		b.Str(event.EventTimezone, d.zone.String())
		b.Str(event.Message, "Nguồn "+name+" không ghi múi giờ; đồng hồ của nguồn chạy theo UTC"+d.zone.String()+
			" chứ không theo "+home+" như cấu hình: từ đây giờ của nguồn được đọc theo UTC"+d.zone.String()+
			". Hãy ghi múi giờ của nguồn vào mục origins của cấu hình")
	}
	w.enrichGuarded(b, m.Site)
	b.End()
}

// enrichGuarded is enrich for an event that may go without.
func (w *Writer) enrichGuarded(b *event.Builder, site string) {
	defer func() { _ = w.recovered(recover()) }()
	w.enrich(b, site)
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
