// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"net/netip"
	"strings"
)

// Builder builds one batch, event by event: Begin, fields in any order, End. One goroutine may use it at a time. Its
// memory is reused after Reset; what Batch returned stays valid.
type Builder struct {
	source  string
	hash    uint64
	epoch   uint64
	open    bool
	cur     header
	start   int // of the open event's values, for Cancel
	headers []header
	fields  []field
	values  []byte
	scratch []byte
}

// NewBuilder returns a Builder for the events of one epoch of a source.
func NewBuilder(source string, epoch uint64) *Builder {
	b := &Builder{}
	b.Reset(source, epoch)
	return b
}

// Reset empties the builder for another batch. Values got from it are invalid from here on.
func (b *Builder) Reset(source string, epoch uint64) {
	if source != b.source || b.hash == 0 {
		sum := sha256.Sum256([]byte(source))
		b.source, b.hash = strings.Clone(source), binary.BigEndian.Uint64(sum[:8])
	}
	b.epoch, b.open = epoch, false
	b.headers, b.fields, b.values = b.headers[:0], b.fields[:0], b.values[:0]
}

// Begin starts the event with the given index within the given unit of the source. An event still open is cancelled.
func (b *Builder) Begin(unit uint64, index uint16) {
	b.Cancel()
	b.open = true
	b.start = len(b.values)
	n := uint32(len(b.fields))
	b.cur = header{id: makeID(b.hash, b.epoch, unit, index), first: n, end: n}
}

// SetID gives the open event another id: an event that is rebuilt keeps the one it had.
func (b *Builder) SetID(id ID) { b.cur.id = id }

// ID returns the id of the open event.
func (b *Builder) ID() ID { return b.cur.id }

// End adds the open event to the batch.
func (b *Builder) End() {
	if !b.open {
		return
	}
	b.open = false
	b.cur.end = uint32(len(b.fields))
	b.headers = append(b.headers, b.cur)
}

// Cancel forgets the open event.
func (b *Builder) Cancel() {
	if !b.open {
		return
	}
	b.open = false
	b.fields = b.fields[:b.cur.first]
	b.values = b.values[:b.start]
}

// Len returns the number of ended events.
func (b *Builder) Len() int { return len(b.headers) }

// Size returns the bytes that the events take in memory so far.
func (b *Builder) Size() int { return len(b.headers)*48 + len(b.fields)*12 + len(b.values) }

// EventSize returns the bytes of values that the open event holds so far.
func (b *Builder) EventSize() int { return len(b.values) - b.start }

// Batch returns the ended events as a batch with the range [first, last) in the source's unit. It copies: the Builder
// may be Reset at once.
func (b *Builder) Batch(first, last uint64) *Batch {
	b.Cancel()
	return &Batch{source: b.source, epoch: b.epoch, first: first, last: last,
		headers: append(make([]header, 0, len(b.headers)), b.headers...),
		fields:  append(make([]field, 0, len(b.fields)), b.fields...),
		values:  append(make([]byte, 0, len(b.values)), b.values...)}
}

// set puts a field of the open event in its place.
func (b *Builder) set(f field) {
	own := b.fields[b.cur.first:]
	n := len(own)
	if n == 0 || own[n-1].id < f.id {
		b.fields = append(b.fields, f)
		return
	}
	i, ok := find(own, f.id)
	if ok {
		own[i] = f
		return
	}
	b.fields = append(b.fields, field{})
	own = b.fields[b.cur.first:]
	copy(own[i+1:], own[i:])
	own[i] = f
}

func (b *Builder) setNum(id FieldID, kind Kind, num uint64) {
	if !b.open {
		return
	}
	b.set(field{id: id, kind: kind, off: uint32(num), len: uint32(num >> 32)})
}

// Str sets a String field; the text is copied. An empty text sets nothing. A text given to a field that fields.lock
// says is a Time is not parsed: give Time.
func (b *Builder) Str(id FieldID, s string) {
	if s == "" || !b.open {
		return
	}
	off := len(b.values)
	b.values = append(b.values, s...)
	b.set(field{id: id, kind: String, off: uint32(off), len: uint32(len(s))})
}

// Bytes is Str for bytes.
func (b *Builder) Bytes(id FieldID, s []byte) {
	if len(s) == 0 || !b.open {
		return
	}
	off := len(b.values)
	b.values = append(b.values, s...)
	b.set(field{id: id, kind: String, off: uint32(off), len: uint32(len(s))})
}

// Int sets an Int field.
func (b *Builder) Int(id FieldID, v int64) { b.setNum(id, Int, uint64(v)) }

// Float sets a Float field.
func (b *Builder) Float(id FieldID, v float64) { b.setNum(id, Float, math.Float64bits(v)) }

// Bool sets a Bool field.
func (b *Builder) Bool(id FieldID, v bool) {
	var n uint64
	if v {
		n = 1
	}
	b.setNum(id, Bool, n)
}

// Time sets a Time field, in nanoseconds since 1970. @timestamp, event.created and event.ingested live in the header.
func (b *Builder) Time(id FieldID, ns int64) {
	switch {
	case !b.open:
	case id == Timestamp:
		b.cur.time = ns
	case id == EventCreated:
		b.cur.created = ns
	case id == EventIngested:
		b.cur.ingested = ns
	default:
		b.setNum(id, Time, uint64(ns))
	}
}

// IP sets an IP field; IPv4 in IPv6 is unmapped, a zone is dropped, an invalid address sets nothing.
func (b *Builder) IP(id FieldID, a netip.Addr) {
	if !a.IsValid() || !b.open {
		return
	}
	off := len(b.values)
	b.values = appendAddr(b.values, a)
	b.set(field{id: id, kind: IP, off: uint32(off), len: uint32(len(b.values) - off)})
}

func appendAddr(dst []byte, a netip.Addr) []byte {
	if a = a.Unmap(); a.Is4() {
		x := a.As4()
		return append(dst, x[:]...)
	}
	x := a.As16()
	return append(dst, x[:]...)
}

// Strs sets a list of strings; none sets nothing.
func (b *Builder) Strs(id FieldID, list ...string) {
	if len(list) == 0 || !b.open {
		return
	}
	off := len(b.values)
	b.values = binary.AppendUvarint(b.values, uint64(len(list)))
	for _, s := range list {
		b.values = binary.AppendUvarint(b.values, uint64(len(s)))
		b.values = append(b.values, s...)
	}
	b.set(field{id: id, kind: List, elem: String, off: uint32(off), len: uint32(len(b.values) - off)})
}

// IPs sets a list of addresses; none sets nothing.
func (b *Builder) IPs(id FieldID, list ...netip.Addr) {
	if len(list) == 0 || !b.open {
		return
	}
	off := len(b.values)
	b.values = binary.AppendUvarint(b.values, uint64(len(list)))
	for _, a := range list {
		n := 16
		if a.Unmap().Is4() {
			n = 4
		}
		b.values = binary.AppendUvarint(b.values, uint64(n))
		b.values = appendAddr(b.values, a)
	}
	b.set(field{id: id, kind: List, elem: IP, off: uint32(off), len: uint32(len(b.values) - off)})
}

// Append adds a text to a list of strings, making the list when there is none; a text it has is not added again.
func (b *Builder) Append(id FieldID, s string) {
	if s == "" || !b.open {
		return
	}
	v, _ := b.Get(id)
	b.scratch = b.scratch[:0]
	n := 0
	for x := range v.All {
		t := x.String()
		if t == s {
			return
		}
		b.scratch = binary.AppendUvarint(b.scratch, uint64(len(t)))
		b.scratch = append(b.scratch, t...)
		n++
	}
	b.scratch = binary.AppendUvarint(b.scratch, uint64(len(s)))
	b.scratch = append(b.scratch, s...)
	// A list that is the last value is rewritten in place: memory stays in step with what the event holds.
	if i, ok := find(b.fields[b.cur.first:], id); ok {
		f := b.fields[b.cur.first:][i]
		if f.kind == List && int(f.off+f.len) == len(b.values) {
			b.values = b.values[:f.off]
		}
	}
	off := len(b.values)
	b.values = binary.AppendUvarint(b.values, uint64(n+1))
	b.values = append(b.values, b.scratch...)
	b.set(field{id: id, kind: List, elem: String, off: uint32(off), len: uint32(len(b.values) - off)})
}

// Value sets a field to a value got elsewhere; None sets nothing.
func (b *Builder) Value(id FieldID, v Value) {
	switch v.kind {
	case None:
	case Int, Float, Bool:
		b.setNum(id, v.kind, v.num)
	case Time:
		b.Time(id, int64(v.num))
	default:
		if !b.open {
			return
		}
		off := len(b.values)
		b.values = append(b.values, v.str...)
		b.set(field{id: id, kind: v.kind, elem: v.elem, off: uint32(off), len: uint32(len(v.str))})
	}
}

// Extra keeps what a vendor says beyond ECS as haidang.extra.<key>. When the process has no room for another name the
// pair goes into the list haidang.extra as key=value.
func (b *Builder) Extra(key, value string) {
	if key == "" || value == "" || !b.open {
		return
	}
	const prefix = "haidang.extra."
	b.scratch = append(append(b.scratch[:0], prefix...), key...)
	if id, ok := dynamic.ids.Load(string(b.scratch)); ok {
		b.Str(id.(FieldID), value)
		return
	}
	if id, ok := Intern(prefix + key); ok {
		b.Str(id, value)
		return
	}
	b.Append(HaidangExtra, key+"="+value)
}

// Get returns the value of a field of the open event, valid until the next Reset.
func (b *Builder) Get(id FieldID) (Value, bool) {
	if !b.open {
		return Value{}, false
	}
	if v, ok := b.cur.times(id); ok {
		return v, v.num != 0
	}
	own := b.fields[b.cur.first:]
	if i, ok := find(own, id); ok {
		return value(own[i], b.values), true
	}
	return Value{}, false
}

// Text returns the value of a String field of the open event, "" when it lacks it.
func (b *Builder) Text(id FieldID) string {
	v, _ := b.Get(id)
	return v.Str()
}

// Has reports whether the open event has the field.
func (b *Builder) Has(id FieldID) bool {
	_, ok := b.Get(id)
	return ok
}

// Fields yields the open event's fields in the order of their ids, without the three times of the header. The event
// must not be changed meanwhile.
func (b *Builder) Fields(yield func(FieldID, Value) bool) {
	if !b.open {
		return
	}
	for _, f := range b.fields[b.cur.first:] {
		if !yield(f.id, value(f, b.values)) {
			return
		}
	}
}

// Del removes a field of the open event.
func (b *Builder) Del(id FieldID) {
	switch {
	case !b.open:
		return
	case id == Timestamp || id == EventCreated || id == EventIngested:
		b.Time(id, 0)
		return
	}
	own := b.fields[b.cur.first:]
	if i, ok := find(own, id); ok {
		copy(own[i:], own[i+1:])
		b.fields = b.fields[:len(b.fields)-1]
	}
}

// Copy puts another event's id, times and fields into the open event, over what it has.
func (b *Builder) Copy(e Event) {
	if !b.open {
		return
	}
	h := &e.b.headers[e.i]
	b.cur.id, b.cur.time, b.cur.created, b.cur.ingested = h.id, h.time, h.created, h.ingested
	for _, f := range e.b.fields[h.first:h.end] {
		switch f.kind {
		case String, IP, List:
			off := uint32(len(b.values))
			b.values = append(b.values, e.b.values[f.off:f.off+f.len]...)
			f.off = off
		}
		b.set(f)
	}
}
