// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

const (
	maxDepth   = 32   // of objects in a document
	maxMembers = 4096 // leaves of a document
)

// ReadJSON puts the members of one JSON object into the open event: nested, dotted or flat names. Values take the kind
// fields.lock gives the field where they can be read as it, else they stay text, so that nothing is lost; unknown names
// are interned, else kept with Extra. Arrays of objects become lists by member. event.id of 32 hexadecimal digits sets
// the id. The error says the byte offset of a syntax error; the fields read so far are kept.
func ReadJSON(b *Builder, doc []byte) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	r := docReader{b: b, d: d}
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("event: reading a document: %w", err)
	}
	if t != json.Delim('{') {
		return fmt.Errorf("event: reading a document: it begins with %v, not with an object", t)
	}
	if err := r.object("", 0); err != nil {
		return fmt.Errorf("event: reading a document: at byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("event: reading a document: at byte %d: more after its end", d.InputOffset())
	}
	return nil
}

type docReader struct {
	b    *Builder
	d    *json.Decoder
	n    int
	list bool // within an array of objects: members are added, not replaced
}

func (r *docReader) object(prefix string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	for r.d.More() {
		t, err := r.d.Token()
		if err != nil {
			return err
		}
		name := prefix + t.(string)
		if err := r.member(name, depth); err != nil {
			return err
		}
	}
	_, err := r.d.Token()
	return err
}

func (r *docReader) member(name string, depth int) error {
	if r.n++; r.n > maxMembers {
		return fmt.Errorf("more than %d members", maxMembers)
	}
	t, err := r.d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return r.object(name+".", depth+1)
	case json.Delim('['):
		return r.array(name, depth)
	}
	r.scalar(name, t)
	return nil
}

func (r *docReader) array(name string, depth int) error {
	var texts []string
	var only any
	was := r.list
	defer func() { r.list = was }()
	for r.d.More() {
		if r.n++; r.n > maxMembers {
			return fmt.Errorf("more than %d members", maxMembers)
		}
		t, err := r.d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'):
			r.list = true
			if err := r.object(name+".", depth+1); err != nil {
				return err
			}
		case json.Delim('['):
			if depth > maxDepth {
				return fmt.Errorf("nested deeper than %d", maxDepth)
			}
			if err := r.array(name, depth+1); err != nil {
				return err
			}
		case nil:
		default:
			only = t
			texts = append(texts, fmt.Sprint(t))
		}
	}
	if _, err := r.d.Token(); err != nil {
		return err
	}
	id, ok := r.field(name)
	switch {
	case len(texts) == 0:
	case len(texts) == 1 && !was && !(ok && id.IsList()):
		r.scalar(name, only)
	case !ok:
		for _, s := range texts {
			r.b.Append(HaidangExtra, name+"="+s)
		}
	case was || r.list:
		for _, s := range texts {
			r.b.Append(id, s)
		}
	case id.Type() == IP && r.ips(id, texts):
	default:
		r.b.Strs(id, texts...)
	}
	return nil
}

func (r *docReader) ips(id FieldID, texts []string) bool {
	var list []netip.Addr
	for _, s := range texts {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return false
		}
		list = append(list, a)
	}
	r.b.IPs(id, list...)
	return true
}

func (r *docReader) field(name string) (FieldID, bool) {
	if len(name) > maxName {
		return 0, false
	}
	return Intern(name)
}

func (r *docReader) scalar(name string, t json.Token) {
	if t == nil {
		return
	}
	id, ok := r.field(name)
	text := fmt.Sprint(t)
	switch {
	case !ok:
		r.b.Append(HaidangExtra, name+"="+text)
	case r.list:
		r.b.Append(id, text)
	case id == EventID:
		if x, err := ParseID(text); err == nil {
			r.b.SetID(x)
		} else {
			r.b.Str(id, text)
		}
	case !r.typed(id, t, text):
		r.b.Str(id, text)
	}
}

// typed sets the field as the kind it wants, and reports whether the value could be read as that.
func (r *docReader) typed(id FieldID, t json.Token, text string) bool {
	switch kind := id.Type(); kind {
	case Int:
		return r.integer(id, text)
	case Float:
		f, err := strconv.ParseFloat(text, 64)
		if err == nil {
			r.b.Float(id, f)
		}
		return err == nil
	case Bool:
		v, err := strconv.ParseBool(text)
		if err == nil {
			r.b.Bool(id, v)
		}
		return err == nil
	case IP:
		a, err := netip.ParseAddr(text)
		if err == nil {
			r.b.IP(id, a)
		}
		return err == nil
	case Time:
		ns, ok := ParseTime(text)
		if ok {
			r.b.Time(id, ns)
		}
		return ok
	case None:
		switch v := t.(type) {
		case bool:
			r.b.Bool(id, v)
			return true
		case json.Number:
			if r.integer(id, text) {
				return true
			}
			f, err := v.Float64()
			if err == nil {
				r.b.Float(id, f)
			}
			return err == nil
		}
	}
	return false
}

func (r *docReader) integer(id FieldID, text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		r.b.Int(id, n)
		return true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 && id.Type() == Int {
		r.b.Int(id, int64(f))
		return true
	}
	return false
}

// ParseTime reads the forms of time that ECS documents carry: RFC 3339, the same with a space or without a zone (then
// UTC), and milliseconds since 1970. Times outside the years 1678 to 2261 are refused: they do not fit nanoseconds.
func ParseTime(s string) (ns int64, ok bool) {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700",
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixNano(), t.Year() > 1678 && t.Year() < 2262
		}
	}
	if len(s) >= 12 && len(s) <= 14 && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < '0' || c > '9' }) {
		ms, err := strconv.ParseInt(s, 10, 64)
		return ms * int64(time.Millisecond), err == nil && ms < math.MaxInt64/int64(time.Millisecond)
	}
	return 0, false
}
