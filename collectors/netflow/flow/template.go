// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"bytes"
	"net/netip"
)

const (
	variable = 0xffff // a field's length in a template: it stands before each value
	reverse  = 29305  // private enterprise number of RFC 5103: the same field of the other direction
)

// template is a template or options template, ready for use.
type template struct {
	id      uint16
	options bool
	scopes  int // of options: how many fields are scopes
	least   int // bytes of the shortest record
	fixed   bool
	fields  []element
	wire    []byte // the record it was read from
}

// element is one field of a template.
type element struct {
	op     op
	scope  bool
	length uint16
}

// templates reads the template records of a set (RFC 3954 sections 5.2 and 6.1, RFC 7011 section 3.4).
func (d *Decoder) templates(from netip.Addr, m *domain, h *head, p []byte, options bool, emit func(*Flow)) error {
	for len(p) >= 4 {
		t, rest, err := readTemplate(p, h.version, options)
		if err != nil {
			if isPadding(p) {
				return nil
			}
			return d.fail(from, Truncated, "a template of domain %d is cut short", h.domain)
		}
		p = rest
		switch {
		case t.id == 0 && len(t.fields) == 0:
			return nil // padding
		case t.id < 256:
			if len(t.fields) == 0 && h.version == 10 { // all templates withdrawn
				d.changed(len(m.templates) > 0)
				for _, t := range m.templates {
					d.room(m.exporter, -t.size())
				}
				clear(m.templates)
				continue
			}
			return d.fail(from, BadTemplate, "template id %d is below 256", t.id)
		case len(t.fields) == 0: // withdrawn
			d.changed(m.templates[t.id] != nil)
			d.room(m.exporter, -m.templates[t.id].size())
			delete(m.templates, t.id)
			continue
		}
		if err := d.define(from, m, h, t); err != nil {
			return err
		}
		d.stats.Templates++
		d.release(from, m, m.templates[t.id], emit)
	}
	return nil
}

// define keeps a template, within bounds.
func (d *Decoder) define(from netip.Addr, m *domain, h *head, t *template) error {
	old := m.templates[t.id]
	switch {
	case t.least == 0:
		return d.fail(from, BadTemplate, "template %d describes records of no bytes", t.id)
	case len(t.fields) > maxFields:
		return d.fail(from, BadTemplate, "template %d has %d fields", t.id, len(t.fields))
	case old != nil && old.options == t.options && bytes.Equal(old.wire, t.wire):
		return nil // as most that come
	case old == nil && len(m.templates) >= maxTemplates:
		return d.fail(from, TooMany, "domain %d has %d templates", h.domain, maxTemplates)
	case !d.room(m.exporter, t.size()-old.size()):
		return d.fail(from, TooMany, "no room for template %d of domain %d", t.id, h.domain)
	}
	t.wire = bytes.Clone(t.wire)
	m.templates[t.id] = t
	d.changed(true)
	return nil
}

// size is about the bytes that a template takes; nil takes none.
func (t *template) size() int {
	if t == nil {
		return 0
	}
	return 160 + 4*len(t.fields) + len(t.wire)
}

func isPadding(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// readTemplate reads one template record of 4 bytes or more, and returns what follows it. The template's wire is in p.
func readTemplate(p []byte, version uint16, options bool) (*template, []byte, error) {
	t := &template{id: u16(p), options: options, fixed: true}
	record := p
	var n, scopes int
	switch {
	case !options:
		n = int(u16(p[2:]))
		p = p[4:]
	case version == 9: // lengths in bytes, of scopes and of options
		if len(p) < 6 {
			return nil, nil, errShort
		}
		scopes = int(u16(p[2:])) / 4
		n = scopes + int(u16(p[4:]))/4
		p = p[6:]
	default:
		n = int(u16(p[2:]))
		if n == 0 { // a withdrawal has no scope count
			return t, p[4:], nil
		}
		if len(p) < 6 {
			return nil, nil, errShort
		}
		scopes = int(u16(p[4:]))
		p = p[6:]
	}
	if n*4 > len(p) {
		return nil, nil, errShort
	}
	t.scopes = scopes
	t.fields = make([]element, 0, min(n, maxFields+1))
	for i := range n {
		if len(p) < 4 {
			return nil, nil, errShort
		}
		id, length := u16(p), u16(p[2:])
		p = p[4:]
		var enterprise uint32
		if version == 10 && id&0x8000 != 0 {
			if len(p) < 4 {
				return nil, nil, errShort
			}
			id &= 0x7fff
			enterprise = u32(p)
			p = p[4:]
		}
		e := element{length: length, scope: options && i < scopes}
		switch {
		case e.scope && version == 9:
			e.op = scopeOp(id)
		case enterprise == 0:
			e.op = fieldOp(id)
		case enterprise == reverse:
			e.op = reverseOp(id)
		}
		if length == variable { // H3C writes it in v9 as well
			t.fixed = false
			t.least++
		} else {
			t.least += int(length)
		}
		if len(t.fields) <= maxFields {
			t.fields = append(t.fields, e)
		}
	}
	t.wire = record[:len(record)-len(p)]
	return t, p, nil
}

// data decodes the records of a data set and returns how many there were.
func (d *Decoder) data(from netip.Addr, m *domain, h *head, t *template, p []byte, emit func(*Flow)) (n uint32,
	err error) {
	for len(p) >= t.least {
		f := &d.flow
		*f = Flow{Exporter: from, Domain: h.domain, Version: h.version, Template: t.id, Direction: -1}
		rest, ok := t.record(f, p)
		if !ok {
			if isPadding(p) {
				return n, nil
			}
			return n, d.fail(from, Truncated, "a record of template %d is cut short", t.id)
		}
		p = rest
		n++
		if t.options {
			d.stats.Options++
			d.changed(m.learn(f, func(n int) bool { return d.room(m.exporter, n) }))
			continue
		}
		m.complete(f, h)
		d.stats.Flows++
		emit(f)
	}
	return n, nil
}

// record reads one record into f and returns what follows it.
func (t *template) record(f *Flow, p []byte) ([]byte, bool) {
	for i := range t.fields {
		e := &t.fields[i]
		n := int(e.length)
		if e.length == variable { // RFC 7011 section 7
			if len(p) < 1 {
				return nil, false
			}
			n, p = int(p[0]), p[1:]
			if n == 255 {
				if len(p) < 2 {
					return nil, false
				}
				n, p = int(u16(p)), p[2:]
			}
		}
		if n > len(p) {
			return nil, false
		}
		if e.op != ignore && n > 0 {
			e.op.apply(f, p[:n])
		}
		p = p[n:]
	}
	return p, true
}

// learn takes note of what an options record says: sampling rates, names of interfaces, the exporter's start. It
// reports whether any of it is new.
func (m *domain) learn(f *Flow, room func(bytes int) bool) (changed bool) {
	if f.clock.boot != 0 {
		changed = m.boot != f.clock.boot
		m.boot = f.clock.boot
	}
	rate := f.Sampling
	if rate == 0 && f.clock.packetInterval > 0 {
		rate = uint32(min((f.clock.packetInterval+f.clock.packetSpace)/f.clock.packetInterval, 1<<31))
	}
	if rate > 0 {
		if f.sampler == 0 {
			changed = changed || m.sampling != rate
			m.sampling = rate
		} else {
			if m.samplers == nil {
				m.samplers = map[uint64]uint32{}
			}
			if old, ok := m.samplers[f.sampler]; ok || len(m.samplers) < maxSamplers && room(32) {
				changed = changed || old != rate
				m.samplers[f.sampler] = rate
			}
		}
	}
	if name := f.InName; name != "" && f.InIf != 0 {
		if m.names == nil {
			m.names = map[uint32]string{}
		}
		if old, ok := m.names[f.InIf]; ok && room(len(name)-len(old)) || !ok && len(m.names) < maxNames &&
			room(64+len(name)) {
			changed = changed || old != name
			m.names[f.InIf] = name
		}
	}
	return changed
}

// complete fills in what the record leaves to the header and to options.
func (m *domain) complete(f *Flow, h *head) {
	f.settle()
	f.clock.settle(f, h, m.boot)
	if f.Sampling == 0 {
		if r, ok := m.samplers[f.sampler]; ok && f.sampler != 0 {
			f.Sampling = r
		} else if f.sampler == 0 || len(m.samplers) == 0 {
			f.Sampling = m.sampling
		}
	}
	if f.InName == "" {
		f.InName = m.names[f.InIf]
	}
	if f.OutName == "" {
		f.OutName = m.names[f.OutIf]
	}
}
