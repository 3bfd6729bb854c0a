// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Changes grows whenever what AppendState writes has changed.
func (d *Decoder) Changes() uint64 { return d.changes }

func (d *Decoder) changed(yes bool) {
	if yes {
		d.changes++
	}
}

// AppendState appends what another Decoder needs to go on as this one would: templates as they came, sampling rates,
// names of interfaces, and the data sets that wait for a template. Sequence numbers are not among it. It is as large as
// what is kept at most, some 70 MiB.
func (d *Decoder) AppendState(dst []byte) []byte {
	be := binary.BigEndian
	at := len(dst)
	dst = be.AppendUint32(dst, 0)
	n := uint32(0)
	for a, x := range d.exporters {
		if !a.IsValid() {
			continue
		}
		ip := a.As16()
		for key, m := range x.domains {
			if len(m.templates)+len(m.waiting)+len(m.samplers)+len(m.names) == 0 && m.boot == 0 && m.sampling == 0 {
				continue
			}
			n++
			dst = be.AppendUint16(append(dst, ip[:]...), key.version)
			dst = m.append(be.AppendUint32(dst, key.id))
		}
	}
	be.PutUint32(dst[at:], n)
	return dst
}

func (m *domain) append(dst []byte) []byte {
	be := binary.BigEndian
	dst = be.AppendUint64(dst, uint64(m.boot))
	dst = append(be.AppendUint32(dst, m.sampling), flag(m.forgotten))
	dst = be.AppendUint32(dst, uint32(len(m.templates)))
	for _, t := range m.templates {
		dst = appendBytes(append(dst, flag(t.options)), t.wire)
	}
	dst = be.AppendUint32(dst, uint32(len(m.samplers)))
	for id, rate := range m.samplers {
		dst = be.AppendUint32(be.AppendUint64(dst, id), rate)
	}
	dst = be.AppendUint32(dst, uint32(len(m.names)))
	for id, name := range m.names {
		dst = appendBytes(be.AppendUint32(dst, id), []byte(name))
	}
	dst = be.AppendUint32(dst, uint32(len(m.waiting)))
	for i := range m.waiting { // in the order in which they came
		w := &m.waiting[i]
		dst = be.AppendUint64(be.AppendUint16(dst, w.template), uint64(w.at))
		dst = be.AppendUint64(be.AppendUint32(dst, w.head.sequence), uint64(w.head.export))
		dst = be.AppendUint64(be.AppendUint32(dst, w.head.uptime), uint64(w.head.received))
		dst = appendBytes(dst, w.data)
	}
	return dst
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendBytes(dst, p []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(p))), p...)
}

// Restore takes what another Decoder's AppendState wrote into one that is new, at a time (unix ns); waiting says
// whether with what waits for a template. It trusts nothing in p and keeps nothing of it: templates are read as if they
// came from the network, under the same limits. After an error the Decoder is of no use.
func (d *Decoder) Restore(p []byte, now int64, waiting bool) error {
	r := &reader{p: p}
	for range r.count(35) {
		from := netip.AddrFrom16([16]byte(r.take(16))).Unmap()
		h := head{version: r.u16(), domain: r.u32(), received: now}
		if h.version != 9 && h.version != 10 {
			return errState
		}
		m, err := d.domain(from, &h)
		if err != nil {
			return err
		}
		if len(m.templates)+len(m.waiting) > 0 {
			return errState // twice
		}
		if err := d.restore(r, from, m, h, waiting); err != nil {
			return err
		}
	}
	if r.short || len(r.p) > 0 {
		return errState
	}
	return nil
}

func (d *Decoder) restore(r *reader, from netip.Addr, m *domain, h head, waiting bool) error {
	now := h.received
	m.boot, m.sampling, m.forgotten = int64(r.u64()), r.u32(), r.take(1)[0] == 1
	for range r.count(5) {
		options, wire := r.take(1)[0] == 1, r.bytes()
		if len(wire) < 4 {
			return errState
		}
		t, rest, err := readTemplate(wire, h.version, options)
		if err != nil || len(rest) > 0 || t.id < 256 || len(t.fields) == 0 {
			return errState
		}
		if err := d.define(from, m, &h, t); err != nil {
			return err
		}
	}
	m.samplers, m.names = map[uint64]uint32{}, map[uint32]string{}
	for range r.count(12) {
		id, rate := r.u64(), r.u32()
		if len(m.samplers) >= maxSamplers || !d.room(m.exporter, 32) {
			return errState
		}
		m.samplers[id] = rate
	}
	for range r.count(8) {
		id, name := r.u32(), r.bytes()
		if len(m.names) >= maxNames || !d.room(m.exporter, 64+len(name)) {
			return errState
		}
		m.names[id] = string(name)
	}
	for range r.count(38) {
		id, at := r.u16(), int64(r.u64())
		h := h
		h.sequence, h.export = r.u32(), int64(r.u64())
		h.uptime, h.received = r.u32(), int64(r.u64())
		data := r.bytes()
		if !waiting {
			m.forgotten = true
			continue
		}
		if err := d.wait(from, m, &h, id, data); err != nil {
			return err
		}
		w := &m.waiting[len(m.waiting)-1]
		if w.at = now; at >= 0 && at <= now { // a clock that was set back must not make it wait for long
			w.at = at
		}
	}
	return nil
}

var errState = errors.New("flow: restoring what is known of exporters: it is damaged")

// reader reads from p, zeros once it is too short.
type reader struct {
	p     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.p) {
		r.p, r.short = nil, true
		return make([]byte, min(n, 16))
	}
	p := r.p[:n]
	r.p = r.p[n:]
	return p
}

func (r *reader) u16() uint16 { return u16(r.take(2)) }
func (r *reader) u32() uint32 { return u32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

// bytes reads what appendBytes wrote.
func (r *reader) bytes() []byte {
	n := r.u32()
	if uint64(n) > uint64(len(r.p)) {
		r.p, r.short = nil, true
		return nil
	}
	return r.take(int(n))
}

// count reads a number of things of so many bytes at least.
func (r *reader) count(least int) int {
	n := r.u32()
	if uint64(n)*uint64(least) > uint64(len(r.p)) {
		r.p, r.short = nil, true
		return 0
	}
	return int(n)
}
