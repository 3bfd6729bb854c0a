// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/internal/decoders/text"
	"github.com/haidang-soc/haidang/internal/event"
)

// maxDepth bounds how deep the objects of a message may nest.
const maxDepth = 24

func testJSON(x *line) string {
	s := strings.TrimLeft(strings.TrimPrefix(x.msg, "@cee:"), " ")
	if len(s) > 1 && s[0] == '{' && s[len(strings.TrimRight(s, " "))-1] == '}' {
		return "the message is a JSON object"
	}
	return ""
}

// decodeJSON takes a JSON object of any product. A member whose dotted path is an ECS field sets that field, if the
// value is of its type; a name that products share is mapped as for key=value; the rest stays in haidang.extra under
// its path. A sender cannot set what is ours to say: haidang.*, event.original, the times of reading, who observed.
func decodeJSON(x *line) bool {
	s := strings.TrimLeft(strings.TrimPrefix(x.msg, "@cee:"), " ")
	// The first walk only proves that it is JSON: a decoder that gives up must have set nothing.
	check := jsonReader{s: s}
	if !check.document() {
		return false
	}
	x.product("json", "json")
	read := jsonReader{s: s, x: x}
	read.document()
	x.infer()
	return true
}

// jsonReader walks one object. With x nil it only checks the syntax.
type jsonReader struct {
	s       string
	i       int
	x       *line
	path    []byte
	text    []byte
	members int
}

func (r *jsonReader) document() bool {
	r.space()
	if !r.object(0) {
		return false
	}
	r.space()
	return r.i == len(r.s)
}

func (r *jsonReader) space() {
	for r.i < len(r.s) && (r.s[r.i] == ' ' || r.s[r.i] == '\t' || r.s[r.i] == '\n' || r.s[r.i] == '\r') {
		r.i++
	}
}

// next reports whether the next byte is c, and steps over it.
func (r *jsonReader) next(c byte) bool {
	if r.i < len(r.s) && r.s[r.i] == c {
		r.i++
		return true
	}
	return false
}

func (r *jsonReader) object(depth int) bool {
	if depth > maxDepth || !r.next('{') {
		return false
	}
	r.space()
	if r.next('}') {
		return true
	}
	for {
		r.space()
		key, ok := r.str()
		if !ok {
			return false
		}
		n := len(r.path)
		if n > 0 {
			r.path = append(r.path, '.')
		}
		r.path = append(r.path, key...)
		r.space()
		if !r.next(':') {
			return false
		}
		r.space()
		if !r.value(depth + 1) {
			return false
		}
		r.path = r.path[:n]
		r.space()
		if r.next('}') {
			return true
		}
		if !r.next(',') {
			return false
		}
	}
}

func (r *jsonReader) value(depth int) bool {
	if r.i >= len(r.s) {
		return false
	}
	switch r.s[r.i] {
	case '{':
		return r.object(depth)
	case '[':
		return r.array(depth)
	case '"':
		s, ok := r.str()
		if ok {
			r.emit(s)
		}
		return ok
	}
	start := r.i
	for r.i < len(r.s) && strings.IndexByte(",]} \t\n\r", r.s[r.i]) < 0 {
		r.i++
	}
	s := r.s[start:r.i]
	switch s {
	case "null":
		return true
	case "true", "false":
	default:
		if !jsonNumber(s) {
			return false
		}
	}
	r.emit(s)
	return true
}

func (r *jsonReader) array(depth int) bool {
	if depth > maxDepth || !r.next('[') {
		return false
	}
	r.space()
	if r.next(']') {
		return true
	}
	for {
		r.space()
		if !r.value(depth + 1) {
			return false
		}
		r.space()
		if r.next(']') {
			return true
		}
		if !r.next(',') {
			return false
		}
	}
}

// str reads a string. The result aliases the message, or r.text where there were escapes; it lasts until the next str.
func (r *jsonReader) str() (string, bool) {
	if !r.next('"') {
		return "", false
	}
	start := r.i
	for r.i < len(r.s) {
		switch c := r.s[r.i]; {
		case c == '"':
			r.i++
			return r.s[start : r.i-1], true
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", false
		}
		r.i++
	}
	return "", false
}

// escaped reads on from the first backslash.
func (r *jsonReader) escaped(start int) (string, bool) {
	r.text = append(r.text[:0], r.s[start:r.i]...)
	for r.i < len(r.s) {
		c := r.s[r.i]
		r.i++
		switch {
		case c == '"':
			return text.NFCString(view(r.text)), true
		case c < ' ':
			return "", false
		case c != '\\':
			r.text = append(r.text, c)
			continue
		}
		if r.i == len(r.s) {
			return "", false
		}
		c = r.s[r.i]
		r.i++
		switch c {
		case '"', '\\', '/':
			r.text = append(r.text, c)
		case 'b':
			r.text = append(r.text, '\b')
		case 'f':
			r.text = append(r.text, '\f')
		case 'n':
			r.text = append(r.text, '\n')
		case 'r':
			r.text = append(r.text, '\r')
		case 't':
			r.text = append(r.text, '\t')
		case 'u':
			u, ok := r.hex4()
			if !ok {
				return "", false
			}
			if utf16.IsSurrogate(u) && strings.HasPrefix(r.s[r.i:], `\u`) {
				r.i += 2
				low, ok := r.hex4()
				if !ok {
					return "", false
				}
				u = utf16.DecodeRune(u, low)
			}
			r.text = utf8.AppendRune(r.text, u)
		default:
			return "", false
		}
	}
	return "", false
}

func (r *jsonReader) hex4() (rune, bool) {
	if len(r.s)-r.i < 4 {
		return 0, false
	}
	var u rune
	for range 4 {
		d := unhex(r.s[r.i])
		if d > 15 {
			return 0, false
		}
		u = u<<4 | rune(d)
		r.i++
	}
	return u, true
}

// jsonNumber tells whether s is a number as JSON writes it.
func jsonNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	n := digits(s)
	if n == 0 || n > 1 && s[0] == '0' {
		return false
	}
	if s = s[n:]; strings.HasPrefix(s, ".") {
		if n = digits(s[1:]); n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if s != "" && s[0]|0x20 == 'e' {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		return numeric(s)
	}
	return s == ""
}

// emit sets the field of the current path.
func (r *jsonReader) emit(value string) {
	if r.x == nil || value == "" || len(r.path) > 200 {
		return
	}
	if r.members++; r.members > maxPairs {
		return
	}
	path := view(r.path)
	if id, ok := event.Lookup(path); ok && !ours(path) {
		if r.x.typed(id, value) {
			return
		}
	} else if !ok {
		name := unwrapped(path)
		if id := alias(lower(name)); id != 0 && (id == event.Message || !r.x.b.Has(id)) {
			r.x.named(name, value)
			return
		}
		if (name == "timestamp" || name == "time" || name == "ts") && !r.x.head.TimeClaimed {
			if ns, ok := event.ParseTime(value); ok {
				r.x.at(time.Unix(0, ns))
				return
			}
		}
	}
	r.x.senderExtra("", path, value)
}

// ours tells whether a field is for this program to set.
func ours(path string) bool {
	for _, p := range [...]string{"haidang.", "observer.", "agent.", "event.original", "event.created",
		"event.ingested", "event.id", "event.kind", "log.source.", "log.syslog.", "related."} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// unwrapped cuts the names off that programs put around a request's or a response's members.
func unwrapped(path string) string {
	for _, p := range [...]string{"req.headers.", "request.headers.", "req.", "request.", "res.", "response.", "http.",
		"data.", "fields.", "context.", "attributes."} {
		if rest, ok := strings.CutPrefix(path, p); ok {
			return rest
		}
	}
	return path
}

// typed sets an ECS field from text, or answers false where the text is not of the field's type.
func (x *line) typed(id event.FieldID, value string) bool {
	switch id {
	case event.Timestamp:
		ns, ok := event.ParseTime(value)
		if ok {
			x.at(time.Unix(0, ns))
		}
		return ok
	case event.SourceIP, event.DestinationIP, event.UserName, event.UserTargetName, event.UserEffectiveName:
		x.namedECS(id, value)
		return true
	case event.URLPath:
		x.requestTarget(value)
		return true
	}
	switch id.Type() {
	case event.Int:
		n, err := strconv.ParseInt(value, 10, 64)
		if err == nil {
			x.b.Int(id, n)
		}
		return err == nil
	case event.Float:
		f, err := strconv.ParseFloat(value, 64)
		if err == nil {
			x.b.Float(id, f)
		}
		return err == nil
	case event.Bool:
		if value != "true" && value != "false" {
			return false
		}
		x.b.Bool(id, value == "true")
		return true
	case event.Time:
		ns, ok := event.ParseTime(value)
		if ok {
			x.b.Time(id, ns)
		}
		return ok
	case event.IP:
		a, ok := address(value)
		if !ok {
			return false
		}
		if id.IsList() {
			x.b.IPs(id, a)
		} else {
			x.b.IP(id, a)
		}
		x.relIP(a)
		return true
	case event.String:
		if id.IsList() {
			x.list(id, value)
		} else {
			x.b.Str(id, value)
		}
		return true
	}
	return false
}

// namedECS sets the fields that related.* follows.
func (x *line) namedECS(id event.FieldID, value string) {
	switch id {
	case event.SourceIP:
		x.source(value)
	case event.DestinationIP:
		x.destination(value)
	case event.UserName:
		x.user(value)
	case event.UserTargetName:
		x.target(value)
	case event.UserEffectiveName:
		x.effective(value)
	}
}
