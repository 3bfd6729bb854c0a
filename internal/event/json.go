// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the event as one ECS document: nested objects, or dotted names when flat. Members are ordered by
// name, so the same event gives the same bytes. Bytes that are not UTF-8 become U+FFFD.
func AppendJSON(dst []byte, e Event, flat bool) []byte {
	w := jsonWriter{out: dst, flat: flat}
	w.members = make([]member, 0, e.NumFields()+4)
	for _, id := range []FieldID{Timestamp, EventCreated, EventIngested} {
		if v, ok := e.Get(id); ok {
			w.members = append(w.members, member{id.Name(), id, v})
		}
	}
	for id, v := range e.Fields() {
		w.members = append(w.members, member{id.Name(), id, v})
	}
	return w.document(e.ID())
}

type member struct {
	name string
	id   FieldID
	v    Value
}

type jsonWriter struct {
	out     []byte
	flat    bool
	members []member
	path    []string // open objects
	comma   bool
}

const extraPrefix = "haidang.extra."

func (w *jsonWriter) document(id ID) []byte {
	if !slices.ContainsFunc(w.members, func(m member) bool { return m.id == EventID }) && id != (ID{}) {
		w.members = append(w.members, member{"event.id", EventID, StringValue(id.String())})
	}
	slices.SortFunc(w.members, func(a, b member) int { return compareNames(a.name, b.name) })
	w.out = append(w.out, '{')
	var last []string // the segments of the last leaf
	for _, m := range w.members {
		segments := []string{m.name}
		if !w.flat {
			segments = split(m.name)
			// a.b after the leaf a cannot be nested: it is kept as the dotted member beside it.
			if n := len(last); n > 0 && n < len(segments) && slices.Equal(last, segments[:n]) {
				segments = append(slices.Clone(last[:n-1]), strings.Join(segments[n-1:], "."))
			}
		}
		w.open(segments[:len(segments)-1])
		w.key(segments[len(segments)-1])
		w.value(m)
		if !strings.Contains(segments[len(segments)-1], ".") || w.flat {
			last = segments
		}
	}
	w.open(nil)
	return append(w.out, '}')
}

// split cuts a name into its objects; what a vendor adds stays one key.
func split(name string) []string {
	if key, ok := strings.CutPrefix(name, extraPrefix); ok {
		return []string{"haidang", "extra", key}
	}
	return strings.Split(name, ".")
}

// compareNames orders by segments: a dot sorts before every other byte.
func compareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		switch {
		case x == '.':
			return -1
		case y == '.':
			return 1
		case x < y:
			return -1
		}
		return 1
	}
	return len(a) - len(b)
}

// open closes and opens objects until exactly path is open.
func (w *jsonWriter) open(path []string) {
	common := 0
	for common < len(path) && common < len(w.path) && path[common] == w.path[common] {
		common++
	}
	for len(w.path) > common {
		w.out = append(w.out, '}')
		w.path = w.path[:len(w.path)-1]
		w.comma = true
	}
	for _, p := range path[common:] {
		w.key(p)
		w.out = append(w.out, '{')
		w.path = append(w.path, p)
		w.comma = false
	}
}

func (w *jsonWriter) key(k string) {
	if w.comma {
		w.out = append(w.out, ',')
	}
	w.comma = true
	w.out = AppendQuoted(w.out, k)
	w.out = append(w.out, ':')
}

func (w *jsonWriter) value(m member) {
	if m.v.kind != List && !m.id.IsList() {
		w.out = appendScalar(w.out, m.v)
		return
	}
	w.out = append(w.out, '[')
	first := true
	for x := range m.v.All {
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.out = appendScalar(w.out, x)
	}
	w.out = append(w.out, ']')
}

func appendScalar(dst []byte, v Value) []byte {
	switch v.kind {
	case Int, Bool:
		return v.AppendText(dst)
	case Float:
		f := math.Float64frombits(v.num)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(dst, "null"...)
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	case Time:
		dst = append(dst, '"')
		layout := "2006-01-02T15:04:05.000Z"
		switch {
		case v.num%1_000 != 0:
			layout = "2006-01-02T15:04:05.000000000Z"
		case v.num%1_000_000 != 0:
			layout = "2006-01-02T15:04:05.000000Z"
		}
		dst = time.Unix(0, int64(v.num)).UTC().AppendFormat(dst, layout)
		return append(dst, '"')
	case String:
		return AppendQuoted(dst, v.str)
	}
	return AppendQuoted(dst, v.String())
}

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' {
			dst = append(dst, s[start:i]...)
			switch r {
			case '\u2028':
				dst = append(dst, `\u2028`...)
			case '\u2029':
				dst = append(dst, `\u2029`...)
			default:
				dst = append(dst, "\ufffd"...)
			}
			start = i + n
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
