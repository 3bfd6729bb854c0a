// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
)

// tally is how many lines of an origin a decoder took.
type tally struct {
	name  string
	count uint64
}

// tallies are kept in place, so that a row is copied as a value.
type tallies [maxDecoders]tally

// MarshalJSON writes an object.
func (t tallies) MarshalJSON() ([]byte, error) { return t.append(nil), nil }

// UnmarshalJSON reads what MarshalJSON wrote; what has no room is left out.
func (t *tallies) UnmarshalJSON(data []byte) error {
	var m map[string]uint64
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	for name, n := range m {
		t.add(name, n)
	}
	return nil
}

// add counts lines of a decoder while there is room for its name, which the caller keeps.
func (t *tallies) add(name string, n uint64) {
	for i := range t {
		switch {
		case t[i].name == name:
			t[i].count += n
			return
		case t[i].name == "":
			t[i] = tally{name, n}
			return
		}
	}
}

// has reports whether a decoder has a place.
func (t *tallies) has(name string) bool {
	for i := range t {
		if t[i].name == name {
			return true
		}
	}
	return false
}

func (t *tallies) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range t {
		if t[i].name == "" {
			break
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, t[i].name), ':')
		dst = strconv.AppendUint(dst, t[i].count, 10)
	}
	return append(dst, '}')
}

func appendString(dst []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"')
	}
	q, err := json.Marshal(s)
	if err != nil { // a string always can
		return append(dst, `""`...)
	}
	return append(dst, q...)
}

// append writes the row as encoding/json reads it back: there may be 65,536 of them every few seconds.
func (o *origin) append(dst []byte) []byte {
	dst = append(dst, `{"first":`...)
	dst = strconv.AppendInt(dst, o.First, 10)
	for _, x := range [...]struct{ key, s string }{{"site", o.Site}, {"addr", o.Addr}, {"host", o.Host}} {
		if x.s != "" {
			dst = append(append(append(dst, `,"`...), x.key...), `":`...)
			dst = appendString(dst, x.s)
		}
	}
	for _, x := range [...]struct {
		key string
		n   uint64
	}{{"accepted", o.Accepted}, {"undecoded", o.Undecoded}, {"errors", o.Errors}, {"streamed", o.Streamed},
		{"given", o.Given}, {"stored", o.Stored}, {"expired", o.Expired}, {"dead", o.Dead}, {"pauses", o.Pauses}} {
		if x.n != 0 {
			dst = append(append(append(dst, `,"`...), x.key...), `":`...)
			dst = strconv.AppendUint(dst, x.n, 10)
		}
	}
	for _, x := range [...]struct {
		key string
		n   int64
	}{{"last", o.LastSeen}, {"lost", o.Lost}} {
		if x.n != 0 {
			dst = append(append(append(dst, `,"`...), x.key...), `":`...)
			dst = strconv.AppendInt(dst, x.n, 10)
		}
	}
	for _, x := range [...]struct {
		key string
		f   float64
	}{{"skew", o.Skew}, {"usual", o.Usual}} {
		if x.f != 0 {
			dst = append(append(append(dst, `,"`...), x.key...), `":`...)
			dst = strconv.AppendFloat(dst, x.f, 'g', -1, 64)
		}
	}
	if o.Silent {
		dst = append(dst, `,"silent":true`...)
	}
	dst = append(dst, `,"decoders":`...)
	return append(o.Decoders.append(dst), '}')
}

// row is an origin as Save copies it.
type row struct {
	name string
	origin
}

// encode writes version, checksum and JSON: head is the book without its origins.
func encode(head *book, rows []row) ([]byte, error) {
	head.Origins = nil
	body, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	const end = `"origins":null}` // the last field
	if len(body) < len(end) || string(body[len(body)-len(end):]) != end {
		return nil, fmt.Errorf("the book does not end with its origins")
	}
	body = append(body[:len(body)-len(`null}`)], '{')
	for i := range rows {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendString(body, rows[i].name), ':')
		body = rows[i].append(body)
	}
	body = append(body, "}}"...)
	start := fmt.Appendf(nil, "haidang ledger %d %08x\n", bookVersion, crc32.Checksum(body, castagnoli))
	return append(start, body...), nil
}
