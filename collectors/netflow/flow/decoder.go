// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"
)

// Limits of what is kept for exporters.
const (
	maxExporters = 4096
	maxDomains   = 64       // of an exporter
	maxTemplates = 1024     // of a domain
	maxFields    = 512      // of a template
	maxShare     = 2 << 20  // bytes of templates, samplers and names of an exporter
	maxMemory    = 64 << 20 // and of all exporters
	maxAllDomain = 16384    // domains of all exporters
	maxSamplers  = 256      // of a domain
	maxNames     = 4096     // interface names of a domain
	maxWaiting   = 64 << 10 // bytes of a domain that wait for a template
	maxWaitAll   = 8 << 20  // bytes of all domains that do
	waitingHead  = 128      // bytes that a set takes besides its own
	waitFor      = 10 * time.Minute
	idleExporter = time.Hour // after which a full table may forget one
)

// Decoder decodes the datagrams of many exporters. One goroutine uses it.
type Decoder struct {
	exporters map[netip.Addr]*exporter
	waiting   int // bytes
	memory    int // bytes of templates, samplers and names, about
	domains   int
	stats     Stats
	flow      Flow
	loss      func(Loss)
	changes   uint64 // of what AppendState writes
}

// Loss is a gap in an exporter's sequence numbers that nothing filled in time.
type Loss struct {
	Exporter netip.Addr
	Domain   uint32
	Version  uint16
	Count    uint64 // datagrams of v9; flow records of v5 and IPFIX
}

type exporter struct {
	seen    int64
	memory  int
	domains map[domainKey]*domain
}

type domainKey struct {
	version uint16
	id      uint32
}

type domain struct {
	exporter  *exporter
	templates map[uint16]*template
	waiting   []waitingSet
	waitBytes int
	samplers  map[uint64]uint32
	sampling  uint32
	names     map[uint32]string
	boot      int64 // systemInitTime of IPFIX options, unix ns
	sequence  sequence
	forgotten bool // some of what waited was never counted
}

type waitingSet struct {
	template uint16
	at       int64
	head     head
	data     []byte
}

// head is what a datagram's header says.
type head struct {
	version  uint16
	domain   uint32
	sequence uint32
	export   int64 // unix ns
	uptime   uint32
	received int64
}

// NewDecoder returns an empty Decoder. loss is told of gaps in sequence numbers; it may be nil.
func NewDecoder(loss func(Loss)) *Decoder {
	return &Decoder{exporters: map[netip.Addr]*exporter{}, loss: loss}
}

// Stats returns the counts so far.
func (d *Decoder) Stats() Stats { return d.stats }

// Decode decodes one datagram received at the given time (unix ns) and calls emit for every flow in it, in order,
// with a Flow that is valid during the call. The error, an *Error, speaks of the first thing that could not be
// decoded; the flows before it were emitted. p is not kept.
func (d *Decoder) Decode(from netip.Addr, p []byte, received int64, emit func(*Flow)) error {
	d.stats.Datagrams++
	from = from.Unmap()
	if len(p) < 2 {
		return d.fail(from, TooShort, "%d bytes", len(p))
	}
	switch v := u16(p); v {
	case 5:
		return d.v5(from, p, received, emit)
	case 9:
		return d.v9(from, p, received, emit)
	case 10:
		return d.ipfix(from, p, received, emit)
	default:
		return d.fail(from, UnknownVersion, "version %d", v)
	}
}

func (d *Decoder) fail(from netip.Addr, r Reason, format string, args ...any) error {
	d.stats.Failed[r]++
	return &Error{from, r, fmt.Sprintf(format, args...)}
}

// domain finds what is kept for an exporter's domain, making room for it where the limits allow.
func (d *Decoder) domain(from netip.Addr, h *head) (*domain, error) {
	x := d.exporters[from]
	if x == nil {
		if len(d.exporters) >= maxExporters && !d.forget(h.received) {
			return nil, d.fail(from, TooMany, "%d exporters are known", maxExporters)
		}
		x = &exporter{domains: map[domainKey]*domain{}}
		d.exporters[from] = x
	}
	x.seen = h.received
	key := domainKey{h.version, h.domain}
	m := x.domains[key]
	if m == nil {
		if len(x.domains) >= maxDomains {
			return nil, d.fail(from, TooMany, "it speaks of %d observation domains", maxDomains)
		}
		if d.domains >= maxAllDomain && !d.forget(h.received) {
			return nil, d.fail(from, TooMany, "%d observation domains are known", maxAllDomain)
		}
		m = &domain{exporter: x, templates: map[uint16]*template{}}
		x.domains[key] = m
		d.domains++
	}
	return m, nil
}

// forget drops the exporters that were silent for an hour, and reports whether there were any.
func (d *Decoder) forget(now int64) bool {
	found := false
	for a, x := range d.exporters {
		if now-x.seen > int64(idleExporter) {
			for _, m := range x.domains {
				d.waiting -= m.waitBytes
				d.stats.Waiting -= uint64(len(m.waiting))
			}
			d.memory -= x.memory
			d.domains -= len(x.domains)
			delete(d.exporters, a)
			d.changed(true)
			found = true
		}
	}
	return found
}

// room accounts for n more bytes kept for an exporter and reports false, accounting nothing, when there is no room.
func (d *Decoder) room(x *exporter, n int) bool {
	if n > 0 && (x.memory+n > maxShare || d.memory+n > maxMemory) {
		return false
	}
	x.memory += n
	d.memory += n
	return true
}

// Tick tells the Decoder the time when no datagram comes: gaps older than the reorder window become losses, data that
// waited too long for its template is counted and dropped. Call it about every second.
func (d *Decoder) Tick(now int64) {
	for a, x := range d.exporters {
		for key, m := range x.domains {
			d.report(a, key, m, m.sequence.settle(now))
			d.expire(m, now)
		}
	}
}

func (d *Decoder) report(from netip.Addr, key domainKey, m *domain, lost uint64) {
	if lost == 0 {
		return
	}
	d.stats.Lost += lost
	if d.loss != nil {
		d.loss(Loss{from, key.id, key.version, lost})
	}
}

// see takes note of a datagram's sequence number; units is what the number counts in it, as far as it could be told.
func (d *Decoder) see(from netip.Addr, m *domain, h *head, units uint32, doubt doubt) {
	q := &m.sequence
	late, restarts := q.late, q.restarts
	q.see(h, units, doubt)
	d.stats.Late += q.late - late
	d.stats.Restarts += q.restarts - restarts
	d.report(from, domainKey{h.version, h.domain}, m, q.settle(h.received))
}

// v5 decodes NetFlow version 5: a header of 24 bytes and records of 48.
func (d *Decoder) v5(from netip.Addr, p []byte, received int64, emit func(*Flow)) error {
	if len(p) < 24 {
		return d.fail(from, TooShort, "%d bytes of NetFlow v5", len(p))
	}
	claimed, got := int(u16(p[2:])), (len(p)-24)/48
	h := head{version: 5, uptime: u32(p[4:]), sequence: u32(p[16:]), domain: uint32(u16(p[20:])), received: received}
	h.export = int64(u32(p[8:]))*1e9 + int64(min(u32(p[12:]), 999_999_999))
	m, err := d.domain(from, &h)
	if err != nil {
		return err
	}
	sampling := uint32(u16(p[22:]) & 0x3fff)
	for i := range min(claimed, got) {
		r := p[24+48*i:]
		f := &d.flow
		*f = Flow{Exporter: from, Domain: h.domain, Version: 5, Direction: -1, Sampling: sampling}
		f.Src, f.Dst, f.NextHop = ip4(r), ip4(r[4:]), ip4(r[8:])
		f.InIf, f.OutIf = uint32(u16(r[12:])), uint32(u16(r[14:]))
		f.counters.delta = [2]uint64{uint64(u32(r[20:])), uint64(u32(r[16:]))}
		f.counters.has = hasDelta
		f.Start, f.End = h.uptimeAt(u32(r[24:])), h.uptimeAt(u32(r[28:]))
		f.SrcPort, f.DstPort = u16(r[32:]), u16(r[34:])
		f.TCPFlags, f.Protocol, f.HasProtocol, f.TOS = uint16(r[37]), r[38], true, r[39]
		f.SrcAS, f.DstAS = uint32(u16(r[40:])), uint32(u16(r[42:]))
		f.SrcMask, f.DstMask = r[44], r[45]
		f.settle()
		d.stats.Flows++
		emit(f)
	}
	if claimed <= got {
		d.see(from, m, &h, uint32(claimed), counted)
	} else {
		d.see(from, m, &h, uint32(got), hopeless)
		return d.fail(from, Truncated, "claims %d records and holds %d", claimed, got)
	}
	return nil
}

func ip4(p []byte) netip.Addr { return netip.AddrFrom4([4]byte(p[:4])) }

// uptimeAt turns the exporter's milliseconds since its start into unix ns; the counter wraps after 49.7 days.
func (h *head) uptimeAt(ms uint32) int64 {
	return h.export - int64(int32(h.uptime-ms))*1e6
}

// v9 decodes NetFlow version 9, RFC 3954 section 5.
func (d *Decoder) v9(from netip.Addr, p []byte, received int64, emit func(*Flow)) error {
	if len(p) < 20 {
		return d.fail(from, TooShort, "%d bytes of NetFlow v9", len(p))
	}
	h := head{version: 9, uptime: u32(p[4:]), export: int64(u32(p[8:])) * 1e9, sequence: u32(p[12:]),
		domain: u32(p[16:]), received: received}
	m, err := d.domain(from, &h)
	if err != nil {
		return err
	}
	_, _, err = d.sets(from, m, &h, p[20:], emit)
	d.see(from, m, &h, 1, counted)
	return err
}

// ipfix decodes IPFIX, RFC 7011 section 3.
func (d *Decoder) ipfix(from netip.Addr, p []byte, received int64, emit func(*Flow)) error {
	if len(p) < 16 {
		return d.fail(from, TooShort, "%d bytes of IPFIX", len(p))
	}
	h := head{version: 10, export: int64(u32(p[4:])) * 1e9, sequence: u32(p[8:]), domain: u32(p[12:]),
		received: received}
	m, err := d.domain(from, &h)
	if err != nil {
		return err
	}
	length := int(u16(p[2:]))
	body := p[16:]
	if length >= 16 && length < len(p) {
		body = p[16:length]
	}
	records, doubt, err := d.sets(from, m, &h, body, emit)
	if length > len(p) {
		doubt = hopeless
		if err == nil {
			err = d.fail(from, Truncated, "claims %d bytes and holds %d", length, len(p))
		}
	}
	d.see(from, m, &h, records, doubt)
	return err
}

// sets walks the sets of a datagram. It returns how many data records it decoded, and whether that is all it holds.
func (d *Decoder) sets(from netip.Addr, m *domain, h *head, p []byte, emit func(*Flow)) (n uint32, doubt doubt,
	first error) {
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	for len(p) >= 4 {
		id, length := u16(p), int(u16(p[2:]))
		if length < 4 || length > len(p) {
			if isPadding(p) {
				return n, doubt, first
			}
			keep(d.fail(from, Truncated, "set %d claims %d bytes of %d", id, length, len(p)))
			return n, hopeless, first
		}
		body := p[4:length]
		p = p[length:]
		switch {
		case id == 0 && h.version == 9, id == 2 && h.version == 10:
			keep(d.templates(from, m, h, body, false, emit))
		case id == 1 && h.version == 9, id == 3 && h.version == 10:
			keep(d.templates(from, m, h, body, true, emit))
		case id >= 256:
			t := m.templates[id]
			if t == nil {
				if err := d.wait(from, m, h, id, body); err != nil {
					keep(err)
					doubt = hopeless
				}
				doubt = max(doubt, awaited)
				continue
			}
			records, err := d.data(from, m, h, t, body, emit)
			n += records
			keep(err)
			if err != nil {
				doubt = hopeless
			}
		}
	}
	return n, doubt, first
}

// wait keeps a data set until its template comes, within bounds.
func (d *Decoder) wait(from netip.Addr, m *domain, h *head, id uint16, body []byte) error {
	size := len(body) + waitingHead
	if m.waitBytes+size > maxWaiting || d.waiting+size > maxWaitAll {
		return d.fail(from, NoTemplate, "template %d of domain %d is unknown and too much waits already", id, h.domain)
	}
	m.waiting = append(m.waiting, waitingSet{id, h.received, *h, append([]byte(nil), body...)})
	m.waitBytes += size
	d.waiting += size
	d.stats.Waiting++
	d.changed(true)
	return nil
}

// release decodes what waited for a template.
func (d *Decoder) release(from netip.Addr, m *domain, t *template, emit func(*Flow)) {
	kept := m.waiting[:0]
	var last waitingSet
	for _, w := range m.waiting {
		if w.template != t.id {
			kept = append(kept, w)
			continue
		}
		m.waitBytes -= len(w.data) + waitingHead
		d.waiting -= len(w.data) + waitingHead
		d.stats.Waiting--
		n, err := d.data(from, m, &w.head, t, w.data, emit) // counted by data
		twice := last.data != nil && w.head.sequence == last.head.sequence && bytes.Equal(w.data, last.data)
		if w.head.version == 10 && !twice {
			m.sequence.explain(w.head.sequence, n)
		}
		last = w
		m.forgotten = m.forgotten || err != nil
	}
	d.changed(len(kept) < len(m.waiting))
	clear(m.waiting[len(kept):])
	m.waiting = kept
	m.resolve()
}

// resolve says, when nothing waits any more, whether all of it was counted.
func (m *domain) resolve() {
	if len(m.waiting) == 0 {
		m.sequence.resolve(!m.forgotten)
		m.forgotten = false
	}
}

// expire drops what waited too long.
func (d *Decoder) expire(m *domain, now int64) {
	kept := m.waiting[:0]
	for _, w := range m.waiting {
		if now-w.at <= int64(waitFor) {
			kept = append(kept, w)
			continue
		}
		m.waitBytes -= len(w.data) + waitingHead
		d.waiting -= len(w.data) + waitingHead
		d.stats.Waiting--
		d.stats.Failed[NoTemplate]++
		m.forgotten = true
	}
	d.changed(len(kept) < len(m.waiting))
	clear(m.waiting[len(kept):])
	m.waiting = kept
	m.resolve()
}
