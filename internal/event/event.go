// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package event is the noun everything else speaks of: ECS events, gathered in immutable batches.
//
// A Batch is three slabs (headers, fields, values); an Event is a small value that points into one, so passing events
// about costs nothing and allocates nothing. Field ids come from fields.lock and are append-only: they are on disk.
// Strings got from an Event alias the batch's memory and live as long as anything refers to it; strings got from a
// Builder are valid only until its next Reset. Numbers stay numbers: never format one to compare it.
package event

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"sort"
)

// Writer takes batches. Write returns nil once the batch is safe with the Writer: the caller may forget it and move
// its own cursor on. After an error the caller may write the same batch again; the same (source, epoch, range) twice
// is stored once. Write blocks when the Writer cannot keep up and never keeps b after it returns. Safe for concurrent
// use.
type Writer interface {
	Write(ctx context.Context, b *Batch) error
}

// ErrRefused is what a Writer's error is (errors.Is) when the range of a batch does not go on where its source is, so
// that writing the same batch again never helps.
var ErrRefused = errors.New("event: the range does not follow what is known of its source")

// ID names an event for ever: the first 8 bytes of SHA-256(source) XOR epoch, then 48 bits of the unit it came in,
// then 16 bits of its index within that unit.
type ID [16]byte

// MakeID computes the id of the event with the given index in the given unit of a source's epoch.
func MakeID(source string, epoch, unit uint64, index uint16) ID {
	sum := sha256.Sum256([]byte(source))
	return makeID(binary.BigEndian.Uint64(sum[:8]), epoch, unit, index)
}

func makeID(source, epoch, unit uint64, index uint16) (id ID) {
	binary.BigEndian.PutUint64(id[:8], source^epoch)
	binary.BigEndian.PutUint64(id[8:], unit<<16|uint64(index))
	return id
}

// ParseID reads the 32 hexadecimal digits that ID.String writes.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 32 {
		return id, fmt.Errorf("event id %q: want 32 hexadecimal digits", s)
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return id, fmt.Errorf("event id %q: %w", s, err)
	}
	return id, nil
}

// Unit returns the 48 bits that number the unit within its source.
func (id ID) Unit() uint64 { return binary.BigEndian.Uint64(id[8:]) >> 16 }

// String returns 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText returns 32 hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

type header struct {
	id                      ID
	time, created, ingested int64
	first, end              uint32 // of fields
}

type field struct {
	id       FieldID
	kind     Kind
	elem     Kind   // of a list
	off, len uint32 // in values; of numbers and booleans the 64 bits themselves, low half first
}

func (f field) num() uint64 { return uint64(f.off) | uint64(f.len)<<32 }

// Batch is a run of events of one source, numbered by the half-open range [First, Last) in the source's own unit.
// It is immutable and safe for concurrent readers.
type Batch struct {
	source             string
	epoch, first, last uint64
	headers            []header
	fields             []field
	values             []byte
}

// Source returns what is numbered for delivery, for example listener/udp514.
func (b *Batch) Source() string { return b.source }

// Epoch returns the generation of the source's numbering.
func (b *Batch) Epoch() uint64 { return b.epoch }

// First returns the first unit of the range.
func (b *Batch) First() uint64 { return b.first }

// Last returns the unit after the last of the range.
func (b *Batch) Last() uint64 { return b.last }

// Len returns the number of events.
func (b *Batch) Len() int { return len(b.headers) }

// Size returns the bytes that the events take in memory.
func (b *Batch) Size() int { return len(b.headers)*48 + len(b.fields)*12 + len(b.values) }

// At returns event i, from 0.
func (b *Batch) At(i int) Event { return Event{b, uint32(i)} }

// Events yields the events in order.
func (b *Batch) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for i := range b.headers {
			if !yield(Event{b, uint32(i)}) {
				return
			}
		}
	}
}

// Cut returns the batch without the events whose unit is below first, as a batch with the range [first, Last). It
// shares memory with b. Where first is not above First it returns b itself.
func (b *Batch) Cut(first uint64) *Batch {
	if first <= b.first {
		return b
	}
	c := *b
	c.first = min(first, b.last)
	c.headers = make([]header, 0, len(b.headers))
	for _, h := range b.headers {
		if h.id.Unit() >= first&(1<<48-1) {
			c.headers = append(c.headers, h)
		}
	}
	return &c
}

// Widen returns the batch with the range [first, Last), for a source whose units between are known to hold nothing. It
// shares memory with b. Where first is not below First it returns b itself.
func (b *Batch) Widen(first uint64) *Batch {
	if first >= b.first {
		return b
	}
	c := *b
	c.first = first
	return &c
}

// Event is one event of a batch: two words, passed by value. The zero Event is invalid.
type Event struct {
	b *Batch
	i uint32
}

// Batch returns the batch the event belongs to.
func (e Event) Batch() *Batch { return e.b }

// Index returns the event's place in its batch, from 0.
func (e Event) Index() int { return int(e.i) }

// ID returns the event's id.
func (e Event) ID() ID { return e.b.headers[e.i].id }

// Time returns @timestamp in nanoseconds since 1970.
func (e Event) Time() int64 { return e.b.headers[e.i].time }

// Created returns event.created, when the event was read, in nanoseconds since 1970; 0 when unknown.
func (e Event) Created() int64 { return e.b.headers[e.i].created }

// Ingested returns event.ingested, when the server took it, in nanoseconds since 1970; 0 when unknown.
func (e Event) Ingested() int64 { return e.b.headers[e.i].ingested }

// Get returns the value of a field, and whether the event has it. It does not allocate.
func (e Event) Get(id FieldID) (Value, bool) {
	h := &e.b.headers[e.i]
	if v, ok := h.times(id); ok {
		return v, v.num != 0
	}
	fields := e.b.fields[h.first:h.end]
	if i, ok := find(fields, id); ok {
		return value(fields[i], e.b.values), true
	}
	return Value{}, false
}

// Text returns the value of a String field, "" when the event lacks it.
func (e Event) Text(id FieldID) string {
	v, _ := e.Get(id)
	return v.Str()
}

// Has reports whether the event has the field.
func (e Event) Has(id FieldID) bool {
	_, ok := e.Get(id)
	return ok
}

// Fields yields the event's fields in the order of their ids, without @timestamp, event.created and event.ingested,
// which are kept apart. It does not allocate.
func (e Event) Fields() iter.Seq2[FieldID, Value] {
	return func(yield func(FieldID, Value) bool) {
		h := &e.b.headers[e.i]
		for _, f := range e.b.fields[h.first:h.end] {
			if !yield(f.id, value(f, e.b.values)) {
				return
			}
		}
	}
}

// NumFields returns the number of fields that Fields yields.
func (e Event) NumFields() int { h := &e.b.headers[e.i]; return int(h.end - h.first) }

// times answers for the three times that live in the header.
func (h *header) times(id FieldID) (Value, bool) {
	switch id {
	case Timestamp:
		return Value{kind: Time, num: uint64(h.time)}, true
	case EventCreated:
		return Value{kind: Time, num: uint64(h.created)}, true
	case EventIngested:
		return Value{kind: Time, num: uint64(h.ingested)}, true
	}
	return Value{}, false
}

// find returns the place of id in fields, which are sorted, or where it would be.
func find(fields []field, id FieldID) (int, bool) {
	if len(fields) <= 8 {
		for i := range fields {
			if fields[i].id >= id {
				return i, fields[i].id == id
			}
		}
		return len(fields), false
	}
	i := sort.Search(len(fields), func(i int) bool { return fields[i].id >= id })
	return i, i < len(fields) && fields[i].id == id
}
