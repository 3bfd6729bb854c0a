// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// haidang.rest holds what the columns do not: a byte of version, event.created and event.ingested as differences from
// @timestamp, then field by field its id (0 and a name for one that is not in fields.lock), kind and value. A field of
// kind None says that the list column of that name held one text, not a list.
//
// The bytes are written by a wordCode, so that the library sees one word or none: it would cut anything else into words
// and put each into its Bloom filters, which cost more than the rest of a row.

const (
	// packed.go has the other. A letter: the library would take a short word of digits for a number.
	restVersion  = 'a'
	firstDynamic = event.FieldID(1 << 15) // ids from here on mean something in this process only
)

var errRest = errors.New("haidang.rest is damaged")

// appendDifference appends t2 as a difference from t; t2 0 means none and is written as 0.
func appendDifference(dst []byte, t, t2 int64) []byte {
	d := t2 - t
	switch {
	case t2 == 0:
		d = 0
	case d >= 0:
		d++
	}
	return binary.AppendVarint(dst, d)
}

func plusDifference(t, d int64) int64 {
	switch {
	case d == 0:
		return 0
	case d > 0:
		return t + d - 1
	}
	return t + d
}

// appendField appends one field in bytes.
func appendField(dst []byte, id event.FieldID, v event.Value) []byte {
	if id < firstDynamic {
		dst = binary.AppendUvarint(dst, uint64(id))
	} else {
		dst = append(dst, 0)
		dst = appendText(dst, id.Name())
	}
	if v.Kind() != event.List {
		dst = append(dst, byte(v.Kind()))
		return appendScalar(dst, v)
	}
	n := v.Len()
	dst = append(dst, byte(event.List)|byte(v.At(0).Kind())<<4)
	dst = binary.AppendUvarint(dst, uint64(n))
	for x := range v.All {
		dst = appendScalar(dst, x)
	}
	return dst
}

// appendScalarMark says that a list column holds one text.
func appendScalarMark(dst []byte, id event.FieldID) []byte {
	return append(binary.AppendUvarint(dst, uint64(id)), byte(event.None))
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendScalar(dst []byte, v event.Value) []byte {
	switch v.Kind() {
	case event.String:
		return appendText(dst, v.Str())
	case event.Int:
		return binary.AppendVarint(dst, v.Int())
	case event.Time:
		return binary.AppendVarint(dst, v.Time())
	case event.Float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float()))
	case event.Bool:
		if v.Bool() {
			return append(dst, 1)
		}
		return append(dst, 0)
	case event.IP:
		a := v.IP()
		return appendText(dst, string(a.AsSlice()))
	}
	return dst
}

// restReader reads what appendField wrote; after the first error it yields zeros.
type restReader struct {
	b   []byte
	err error
}

func (r *restReader) fail() { r.b, r.err = nil, errRest }

func (r *restReader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *restReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *restReader) varint() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *restReader) text() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

// event reads the fields into the open event of b, whose @timestamp is t. scalar is called for each scalar mark.
func (r *restReader) event(b *event.Builder, t int64, scalar func(event.FieldID)) error {
	if v := r.byte(); r.err == nil && v != restVersion {
		return fmt.Errorf("haidang.rest: version %d is not known", v)
	}
	b.Time(event.EventCreated, plusDifference(t, r.varint()))
	b.Time(event.EventIngested, plusDifference(t, r.varint()))
	for len(r.b) > 0 {
		id := event.FieldID(r.uvarint())
		if id == 0 {
			name := string(r.text())
			if r.err != nil {
				break
			}
			var ok bool
			if id, ok = event.Intern(name); !ok {
				return fmt.Errorf("haidang.rest: no room for the field name %.100q", name)
			}
		}
		r.field(b, id, scalar)
	}
	return r.err
}

func (r *restReader) field(b *event.Builder, id event.FieldID, scalar func(event.FieldID)) {
	kind := r.byte()
	switch event.Kind(kind & 15) {
	case event.None:
		scalar(id)
	case event.List:
		r.list(b, id, event.Kind(kind>>4))
	case event.String:
		b.Value(id, event.StringValue(string(r.text())))
	case event.Int:
		b.Int(id, r.varint())
	case event.Time:
		b.Time(id, r.varint())
	case event.Float:
		b.Float(id, math.Float64frombits(r.fixed64()))
	case event.Bool:
		b.Bool(id, r.byte() != 0)
	case event.IP:
		b.IP(id, addrFrom(r.text()))
	default:
		r.fail()
	}
}

// list reads a list. A Builder makes lists of texts and of addresses; of anything else the canonical texts are kept.
func (r *restReader) list(b *event.Builder, id event.FieldID, elem event.Kind) {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return
	}
	var texts []string
	var addrs []netip.Addr
	for range n {
		switch elem {
		case event.String:
			texts = append(texts, string(r.text()))
		case event.IP:
			addrs = append(addrs, addrFrom(r.text()))
		case event.Int:
			texts = append(texts, strconv.FormatInt(r.varint(), 10))
		case event.Time:
			texts = append(texts, time.Unix(0, r.varint()).UTC().Format(time.RFC3339Nano))
		case event.Float:
			texts = append(texts, strconv.FormatFloat(math.Float64frombits(r.fixed64()), 'g', -1, 64))
		case event.Bool:
			texts = append(texts, strconv.FormatBool(r.byte() != 0))
		default:
			r.fail()
			return
		}
	}
	b.Strs(id, texts...)
	b.IPs(id, addrs...)
}

func addrFrom(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (r *restReader) fixed64() uint64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	n := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return n
}
