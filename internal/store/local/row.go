// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"
	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// The columns beside those of the hot fields, which have the fields' names. _time is @timestamp.
const (
	colID   = "haidang.id"
	colPos  = "haidang.pos"  // sequence of the record << 20 | number of the event in it
	colText = "haidang.text" // kql.AppendText
	colRest = "haidang.rest"
	colOdd  = "haidang.odd" // absent on regular rows; on others the hot fields are in haidang.rest

	oddFields = "1" // odd, for a hot field that a column could not hold
	oddText   = "2" // odd, and without haidang.text

	separator = "\x1f" // before, between and behind the values of a list column
	posBits   = 20
	maxRow    = 2<<20 - 4096 // bytes as the library estimates a row, with room for the names
)

// column is a hot field.
type column struct {
	id   event.FieldID
	name string
	kind event.Kind
	list bool
}

func hotColumns() []column {
	var cols []column
	for _, id := range store.HotFields() {
		cols = append(cols, column{id: id, name: id.Name(), kind: id.Type(), list: id.IsList()})
	}
	return cols
}

// encoder makes rows of events. Not safe for concurrent use.
type encoder struct {
	cols   []column
	index  map[event.FieldID]int
	words  *wordCode // of version a of haidang.rest
	marks  *wordCode // of version b
	fields []logstorage.Field
	buf    []byte // texts of the fields
	rest   []byte
	full   []byte // haidang.text
	shape  []byte // of event.original
	packer packer
}

func newEncoder() encoder {
	enc := encoder{cols: hotColumns(), index: map[event.FieldID]int{},
		words: newWordCode(wordSymbols, wordSingles, wordSeconds),
		marks: newWordCode(markSymbols, markSingles, markSeconds)}
	for i, c := range enc.cols {
		enc.index[c.id] = i
	}
	return enc
}

// row returns the event's columns, the stream's first, valid until the next call; ok is false when they are too many
// bytes for the library.
func (enc *encoder) row(e event.Event, pos uint64) (fields []logstorage.Field, odd, ok bool) {
	fields, odd = enc.make(e, pos, layout{})
	if logstorage.EstimatedJSONRowLen(fields) > maxRow {
		fields, odd = enc.make(e, pos, layout{odd: true, plain: true, bare: true})
	}
	return fields, odd, logstorage.EstimatedJSONRowLen(fields) <= maxRow
}

// layout is how a row is made.
type layout struct {
	odd   bool // the hot fields go to haidang.rest
	plain bool // haidang.rest in version a
	bare  bool // without haidang.text; plain as well
}

func (enc *encoder) make(e event.Event, pos uint64, how layout) ([]logstorage.Field, bool) {
	enc.buf = enc.buf[:0]
	enc.fields = append(enc.fields[:0], make([]logstorage.Field, len(enc.cols))...)
	var ok bool
	if how.plain {
		ok = enc.plain(e, how)
	} else if ok = enc.pack(e, how); ok && !wordy(enc.full) {
		how.plain = true
		return enc.make(e, pos, how)
	}
	if !ok {
		how.odd = true
		return enc.make(e, pos, how)
	}
	n := 0
	for _, f := range enc.fields {
		if f.Value != "" {
			enc.fields[n] = f
			n++
		}
	}
	enc.fields = enc.fields[:n]
	id := e.ID()
	enc.add(colID, func(b []byte) []byte { return hex.AppendEncode(b, id[:]) })
	enc.add(colPos, func(b []byte) []byte { return strconv.AppendUint(b, pos, 10) })
	code := enc.marks
	if how.plain {
		code = enc.words
	}
	enc.add(colRest, func(b []byte) []byte { return code.encode(b, enc.rest) })
	if !how.bare {
		enc.fields = append(enc.fields, logstorage.Field{Name: colText, Value: view(enc.full)})
	}
	switch {
	case how.bare:
		enc.fields = append(enc.fields, logstorage.Field{Name: colOdd, Value: oddText})
	case how.odd:
		enc.fields = append(enc.fields, logstorage.Field{Name: colOdd, Value: oddFields})
	}
	return enc.fields, how.odd
}

// wordy reports whether a full text cannot be taken for a number, of which the library might give back another form.
func wordy(text []byte) bool { return bytes.ContainsAny(text, " \n") }

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// plain fills the columns, enc.rest in version a, and enc.full; false when a hot field is not regular.
func (enc *encoder) plain(e event.Event, how layout) bool {
	rest := append(enc.rest[:0], restVersion)
	rest = appendDifference(rest, e.Time(), e.Created())
	rest = appendDifference(rest, e.Time(), e.Ingested())
	defer func() { enc.rest = rest }()
	for id, v := range e.Fields() {
		i, hot := enc.index[id]
		if !hot || how.odd {
			rest = appendField(rest, id, v)
			continue
		}
		scalar, regular := enc.hot(i, v)
		if !regular {
			return false
		}
		if scalar {
			rest = appendScalarMark(rest, id)
		}
	}
	enc.full = enc.full[:0]
	if !how.bare {
		enc.full = kql.AppendText(enc.full, e)
	}
	return true
}

// pack is plain with version b. What it leaves in enc.full is what kql.AppendText would.
func (enc *encoder) pack(e event.Event, how layout) bool {
	p := &enc.packer
	p.reset()
	enc.full, enc.shape = enc.full[:0], enc.shape[:0]
	original, _ := e.Get(event.EventOriginal)
	ok := false
	if original.Kind() == event.String {
		enc.full, enc.shape, ok = p.cut(original.Str(), enc.full, enc.shape)
	}
	if !ok {
		p.reset()
		enc.full, enc.shape = enc.full[:0], enc.shape[:0]
		for x := range original.All {
			enc.full = kql.AppendValue(enc.full, 0, x)
		}
	}
	p.begin(enc.rest[:0], e, enc.shape)
	defer func() { enc.rest = p.dst }()
	for id, v := range e.Fields() {
		if id == event.EventOriginal {
			if !ok {
				enc.full = p.field(id, v, enc.full)
			}
			continue
		}
		i, hot := enc.index[id]
		if !hot || how.odd {
			enc.full = p.field(id, v, enc.full)
			continue
		}
		enc.addText(v)
		scalar, regular := enc.hot(i, v)
		if !regular {
			return false
		}
		if scalar {
			p.scalarMark(id)
		}
	}
	return true
}

// addText adds a value to the full text unless the original has its words.
func (enc *encoder) addText(v event.Value) {
	switch v.Kind() {
	case event.List:
		for x := range v.All {
			enc.addText(x)
		}
	case event.String, event.IP:
		if _, whole, _ := enc.packer.find(enc.packer.textOf(v)); !whole {
			enc.full = kql.AppendValue(enc.full, 0, v)
		}
	}
}

// hot fills the column of a hot field.
func (enc *encoder) hot(i int, v event.Value) (scalar, regular bool) {
	c := &enc.cols[i]
	value, scalar, regular := enc.column(c, v)
	enc.fields[i] = logstorage.Field{Name: c.name, Value: value}
	return scalar, regular
}

func (enc *encoder) add(name string, fill func([]byte) []byte) {
	enc.fields = append(enc.fields, logstorage.Field{Name: name, Value: enc.text(fill)})
}

// text returns what fill appends to the buffer. A buffer that grows leaves the older texts valid where they are.
func (enc *encoder) text(fill func([]byte) []byte) string {
	start := len(enc.buf)
	enc.buf = fill(enc.buf)
	if len(enc.buf) == start {
		return ""
	}
	return unsafe.String(&enc.buf[start], len(enc.buf)-start)
}

// column returns a hot field's text in its column. Not regular: the text would not give the value back, or a filter
// on it would not mean what kql.Match means.
func (enc *encoder) column(c *column, v event.Value) (text string, scalar, regular bool) {
	switch {
	case c.list && (v.Kind() == event.List || v.Kind() == event.String):
		text = enc.text(func(b []byte) []byte {
			b = append(b, separator...)
			for x := range v.All {
				regular = regularText(x.Str()) && !strings.Contains(x.Str(), separator)
				if !regular {
					break
				}
				b = append(append(b, x.Str()...), separator...)
			}
			return b
		})
		return text, v.Kind() == event.String, regular
	case v.Kind() != c.kind:
		return "", false, false
	case c.kind == event.String:
		return v.Str(), false, regularText(v.Str())
	case c.kind == event.Int, c.kind == event.IP:
		return enc.text(v.AppendText), false, true
	}
	return "", false, false
}

// regularText reports whether a text may be a column's value: in NFC, so that it compares as kql.Match does, not empty,
// which is no value to the library, and given back as it is: the library keeps a column of numbers, IPv4 addresses or
// times as such, and "1_000", "1.50", "-0" and "01.2.3.4" would come back otherwise.
func regularText(s string) bool {
	if s == "" {
		return false
	}
	if c := s[0]; c <= '9' || c == '_' {
		if strings.Trim(s, "0123456789_+-.:TZ") == "" && !canonicalNumber(s) {
			return false
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return norm.NFC.IsNormalString(s)
		}
	}
	return true
}

// canonicalNumber reports whether s is an integer or an IPv4 address in the one form that has no other.
func canonicalNumber(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Is4()
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == s
}

// found is a row that a search returned.
type found struct {
	time int64
	id   event.ID
	vals []string // of decoder.names
}

// decoder makes events of rows. Not safe for concurrent use.
type decoder struct {
	enc    *encoder
	names  []string // the columns a search must return, beside _time and haidang.id
	buf    []byte
	scalar []event.FieldID
}

func newDecoder(enc *encoder) *decoder {
	d := &decoder{enc: enc}
	for _, c := range enc.cols {
		d.names = append(d.names, c.name)
	}
	d.names = append(d.names, colText, colRest)
	return d
}

// add builds the event of a row.
func (d *decoder) add(b *event.Builder, r *found) error {
	var err error
	text := r.vals[len(r.vals)-1]
	code := d.enc.words
	if packed := d.enc.marks.enc[packedVersion][0]; text != "" && text[0] == packed {
		code = d.enc.marks
	}
	if d.buf, err = code.decode(d.buf[:0], text); err != nil {
		return fmt.Errorf("store/local: event %s: reading it: %w", r.id, err)
	}
	b.Begin(0, 0)
	b.SetID(r.id)
	b.Time(event.Timestamp, r.time)
	d.scalar = d.scalar[:0]
	rest := restReader{b: d.buf}
	scalar := func(id event.FieldID) { d.scalar = append(d.scalar, id) }
	if len(d.buf) > 0 && d.buf[0] == packedVersion {
		fold, _, _ := strings.Cut(r.vals[len(r.vals)-2], "\n")
		packed := packedReader{restReader: rest}
		err = packed.event(b, r.time, fold, scalar)
	} else {
		err = rest.event(b, r.time, scalar)
	}
	if err != nil {
		b.Cancel()
		return fmt.Errorf("store/local: event %s: reading it: %w", r.id, err)
	}
	for i, c := range d.enc.cols {
		if s := r.vals[i]; s != "" {
			d.column(b, c, s)
		}
	}
	b.End()
	return nil
}

func (d *decoder) column(b *event.Builder, c column, s string) {
	switch {
	case c.list && has(d.scalar, c.id):
		b.Str(c.id, strings.Trim(s, separator))
	case c.list:
		b.Strs(c.id, strings.Split(strings.Trim(s, separator), separator)...)
	case c.kind == event.Int:
		n, _ := strconv.ParseInt(s, 10, 64)
		b.Int(c.id, n)
	case c.kind == event.IP:
		a, _ := netip.ParseAddr(s)
		b.IP(c.id, a)
	default:
		b.Str(c.id, s)
	}
}

func has(ids []event.FieldID, id event.FieldID) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}
