// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"unsafe"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// Version b of haidang.rest says less than version a: event.original is its shape (original.go), and a value that
// stands in event.original is its place there, counted in words, so that lines of one kind say the same. Ids are
// differences from the one before. Numbers below 58 are one letter, which wordCode writes as one. Rows without
// haidang.text, and those whose text the library might not give back as it was, are in version a.

const (
	packedVersion = 'b'
	withShape     = 'o' // behind the times: the shape of event.original follows
	withoutShape  = 'n'

	// numerals are the digits of a number below 58, and the escape of those from there on.
	numerals = "0123456789ABCDEFGHIJKLMNOPRSTUVWYabcdefghijklmnopqrstuvwxyz"
	kinds    = 8       // more than event has
	maxTaken = 8 << 20 // more than the values of an event
)

// How a value is written: kind + kinds * mode is a numeral.
const (
	modeHere  = iota // the value follows
	modeWord         // it is a word of the original
	modeWords        // whole words of it: the first and how many more
	modePlace        // and bytes before and behind
)

func appendNumber(dst []byte, n uint64) []byte {
	if n < uint64(len(numerals)-1) {
		return append(dst, numerals[n])
	}
	return binary.AppendUvarint(append(dst, numerals[len(numerals)-1]), n)
}

func appendString(dst []byte, s string) []byte {
	return append(appendNumber(dst, uint64(len(s))), s...)
}

// packer writes version b. Not safe for concurrent use.
type packer struct {
	original
	dst     []byte
	last    event.FieldID
	scratch []byte
}

// begin writes what stands before the fields.
func (p *packer) begin(dst []byte, e event.Event, shape []byte) {
	dst = append(dst, packedVersion)
	dst = appendDifference(dst, e.Time(), e.Created())
	from := e.Created()
	if from == 0 {
		from = e.Time()
	}
	dst = appendDifference(dst, from, e.Ingested())
	if len(shape) > 0 {
		dst = append(append(dst, withShape), shape...)
	} else {
		dst = append(dst, withoutShape)
	}
	p.dst, p.last = dst, 0
}

func (p *packer) id(id event.FieldID) {
	if id < firstDynamic {
		p.dst = appendNumber(p.dst, uint64(id-p.last))
		p.last = id
		return
	}
	p.dst = appendString(appendNumber(p.dst, 0), id.Name())
}

// scalarMark says that a list column holds one text.
func (p *packer) scalarMark(id event.FieldID) {
	p.id(id)
	p.dst = append(p.dst, numerals[event.None])
}

// field writes one field, and appends to the full text what it and the original lack.
func (p *packer) field(id event.FieldID, v event.Value, full []byte) []byte {
	p.id(id)
	if v.Kind() != event.List {
		if whole := p.value(v); !whole && id != event.HaidangText {
			full = kql.AppendValue(full, 0, v)
		}
		return full
	}
	p.dst = append(p.dst, numerals[event.List])
	p.dst = appendNumber(p.dst, uint64(v.Len()))
	for x := range v.All {
		text := x
		if k := x.Kind(); k != event.String && k != event.IP {
			x = event.StringValue(x.String()) // a Builder makes no lists of these
		}
		if whole := p.value(x); !whole && id != event.HaidangText {
			full = kql.AppendValue(full, 0, text)
		}
	}
	return full
}

// value writes a value; whole as find says.
func (p *packer) value(v event.Value) (whole bool) {
	kind := int(v.Kind())
	s := p.textOf(v)
	if at, whole, ok := p.find(s); ok {
		switch {
		case at.before != 0 || at.behind != 0:
			p.dst = append(p.dst, numerals[kind+kinds*modePlace])
			p.dst = appendNumber(p.dst, uint64(at.first))
			p.dst = appendNumber(p.dst, uint64(at.more))
			p.dst = appendNumber(p.dst, uint64(at.before))
			p.dst = binary.AppendVarint(p.dst, int64(at.behind))
		case at.more != 0:
			p.dst = append(p.dst, numerals[kind+kinds*modeWords])
			p.dst = appendNumber(p.dst, uint64(at.first))
			p.dst = appendNumber(p.dst, uint64(at.more))
		default:
			p.dst = append(p.dst, numerals[kind+kinds*modeWord])
			p.dst = appendNumber(p.dst, uint64(at.first))
		}
		return whole
	}
	p.dst = append(p.dst, numerals[kind])
	switch v.Kind() {
	case event.String:
		p.dst = appendString(p.dst, v.Str())
	case event.Int:
		n := v.Int()
		p.dst = appendNumber(p.dst, uint64(n)<<1^uint64(n>>63))
	default:
		p.dst = appendScalar(p.dst, v)
	}
	return false
}

// textOf is the text to look for in the original, "" for none. It is valid until the next call.
func (p *packer) textOf(v event.Value) string {
	if len(p.words) == 0 {
		return ""
	}
	switch v.Kind() {
	case event.String:
		return v.Str()
	case event.Int:
		if n := v.Int(); n >= 0 && n < 32 {
			return "" // one letter as it is
		}
	case event.IP:
	default:
		return ""
	}
	p.scratch = v.AppendText(p.scratch[:0])
	return unsafe.String(unsafe.SliceData(p.scratch), len(p.scratch))
}

// packedReader reads version b.
type packedReader struct {
	restReader
	taken int // bytes of the original that values stand at
}

func (r *packedReader) numeral() int {
	c := r.byte()
	for i := range len(numerals) {
		if numerals[i] == c {
			return i
		}
	}
	r.fail()
	return endOfShape
}

func (r *packedReader) number() uint64 {
	if n := r.numeral(); n < len(numerals)-1 {
		return uint64(n)
	}
	return r.uvarint()
}

func (r *packedReader) text() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

// event reads the fields into the open event of b, whose @timestamp is t and whose folded original fold.
func (r *packedReader) event(b *event.Builder, t int64, fold string, scalar func(event.FieldID)) error {
	r.byte() // the version
	created := plusDifference(t, r.varint())
	if created != 0 {
		b.Time(event.EventCreated, created)
		t = created
	}
	b.Time(event.EventIngested, plusDifference(t, r.varint()))
	var o original
	if r.byte() == withShape {
		o.paste(r, fold)
		b.Value(event.EventOriginal, event.StringValue(o.text))
	}
	last := event.FieldID(0)
	for len(r.b) > 0 && r.err == nil {
		id := event.FieldID(r.number())
		if id != 0 {
			id += last
			last = id
		} else if name := string(r.text()); r.err == nil {
			var ok bool
			if id, ok = event.Intern(name); !ok {
				return fmt.Errorf("haidang.rest: no room for the field name %.100q", name)
			}
		}
		switch code := r.numeral(); event.Kind(code) {
		case event.None:
			scalar(id)
		case event.List:
			r.list(b, id, &o)
		default:
			r.value(b, id, code, &o)
		}
	}
	return r.err
}

func (r *packedReader) value(b *event.Builder, id event.FieldID, code int, o *original) {
	kind := event.Kind(code % kinds)
	if mode := code / kinds; mode != modeHere {
		switch s := r.place(mode, o); kind {
		case event.String:
			b.Value(id, event.StringValue(s))
		case event.Int:
			n, _ := strconv.ParseInt(s, 10, 64)
			b.Int(id, n)
		case event.IP:
			a, _ := netip.ParseAddr(s)
			b.IP(id, a)
		default:
			r.fail()
		}
		return
	}
	switch kind {
	case event.String:
		b.Value(id, event.StringValue(string(r.text())))
	case event.Int:
		n := r.number()
		b.Int(id, int64(n>>1)^-int64(n&1))
	case event.Time:
		b.Time(id, r.varint())
	case event.Float:
		b.Float(id, math.Float64frombits(r.fixed64()))
	case event.Bool:
		b.Bool(id, r.byte() != 0)
	case event.IP:
		b.IP(id, addrFrom(r.restReader.text()))
	default:
		r.fail()
	}
}

// place reads where in the original a text is, and returns it.
func (r *packedReader) place(mode int, o *original) string {
	p := place{first: int(r.number() & math.MaxInt32)}
	if mode >= modeWords {
		p.more = int(r.number() & math.MaxInt32)
	}
	if mode == modePlace {
		p.before = int(r.number() & math.MaxInt32)
		p.behind = int(r.varint())
	}
	s := o.at(p)
	if r.taken += len(s); s == "" || r.taken > maxTaken {
		r.fail()
		return ""
	}
	return s
}

func (r *packedReader) list(b *event.Builder, id event.FieldID, o *original) {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.fail()
		return
	}
	var texts []string
	var addrs []netip.Addr
	for range n {
		code := r.numeral()
		text := ""
		mode := code / kinds
		if mode != modeHere {
			text = r.place(mode, o)
		}
		switch event.Kind(code % kinds) {
		case event.String:
			if mode == modeHere {
				text = string(r.text())
			}
			texts = append(texts, text)
		case event.IP:
			a := netip.Addr{}
			if mode == modeHere {
				a = addrFrom(r.restReader.text())
			} else {
				a, _ = netip.ParseAddr(text)
			}
			addrs = append(addrs, a)
		default:
			r.fail()
		}
	}
	b.Strs(id, texts...)
	b.IPs(id, addrs...)
}
