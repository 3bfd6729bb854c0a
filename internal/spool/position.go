// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Position is the place of a record: positions of one shard are contiguous and never reused, from 1 up.
type Position struct {
	Shard uint16 `json:"shard"`
	Seq   uint64 `json:"seq"`
}

// Compare orders by shard, then sequence. Records of several shards are ordered by (Clock, Shard, Seq) instead.
func (p Position) Compare(q Position) int {
	switch {
	case p.Shard != q.Shard:
		return int(p.Shard) - int(q.Shard)
	case p.Seq < q.Seq:
		return -1
	case p.Seq > q.Seq:
		return 1
	}
	return 0
}

// String returns "shard/seq".
func (p Position) String() string {
	return strconv.Itoa(int(p.Shard)) + "/" + strconv.FormatUint(p.Seq, 10)
}

// Incarnation names one life of a stream: random, made with the stream and stored in it. A stream made anew, by hand
// or after a loss, has another, so that a reader never takes its positions for those it knows.
type Incarnation string

// Mark is how far one shard was read: Seq is the last record taken, 0 for none.
type Mark struct {
	Shard       uint16
	Incarnation Incarnation
	Seq         uint64
}

// Cursor is how far a reader got: one mark per shard, ordered by shard. The zero Cursor is before the first record that
// is kept. A Cursor is a value: Advance returns another and leaves the first as it was. It reads and writes itself
// as text ("0:JBSWY3DP:1234", comma-separated) in JSON too.
type Cursor struct{ marks []Mark }

// NewCursor makes a cursor of marks, in any order, one per shard.
func NewCursor(marks ...Mark) Cursor {
	m := slices.Clone(marks)
	slices.SortFunc(m, func(a, b Mark) int { return int(a.Shard) - int(b.Shard) })
	return Cursor{m}
}

// Marks returns the marks, ordered by shard.
func (c Cursor) Marks() []Mark { return slices.Clone(c.marks) }

// IsZero reports whether nothing has been read.
func (c Cursor) IsZero() bool { return len(c.marks) == 0 }

// Seq returns the last sequence taken of a shard, 0 when none.
func (c Cursor) Seq(shard uint16) uint64 { return c.mark(shard).Seq }

// Has reports whether the record at p is at or before the cursor. It does not look at incarnations.
func (c Cursor) Has(p Position) bool { return p.Seq <= c.Seq(p.Shard) }

// Equal reports whether both are the same place of the same incarnations.
func (c Cursor) Equal(d Cursor) bool { return slices.Equal(c.marks, d.marks) }

// Advance returns the cursor after r: the other shards' marks stay.
func (c Cursor) Advance(r *Record) Cursor {
	m := Mark{r.At.Shard, r.Incarnation, r.At.Seq}
	i, ok := slices.BinarySearchFunc(c.marks, m.Shard, func(x Mark, s uint16) int { return int(x.Shard) - int(s) })
	if ok {
		d := slices.Clone(c.marks)
		d[i] = m
		return Cursor{d}
	}
	return Cursor{slices.Insert(slices.Clone(c.marks), i, m)}
}

// String returns the text form; the zero Cursor is "".
func (c Cursor) String() string {
	var b strings.Builder
	for i, m := range c.marks {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d:%s:%d", m.Shard, m.Incarnation, m.Seq)
	}
	return b.String()
}

// ParseCursor reads what String wrote.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	var c Cursor
	for part := range strings.SplitSeq(s, ",") {
		shard, rest, ok := strings.Cut(part, ":")
		inc, seq, ok2 := strings.Cut(rest, ":")
		n, err := strconv.ParseUint(shard, 10, 16)
		q, err2 := strconv.ParseUint(seq, 10, 64)
		if !ok || !ok2 || err != nil || err2 != nil {
			return Cursor{}, fmt.Errorf("spool cursor: parsing %.100q: want shard:incarnation:sequence", s)
		}
		if k := len(c.marks); k > 0 && c.marks[k-1].Shard >= uint16(n) {
			return Cursor{}, fmt.Errorf("spool cursor: parsing %.100q: shards not in order", s)
		}
		c.marks = append(c.marks, Mark{uint16(n), Incarnation(inc), q})
	}
	return c, nil
}

// MarshalText and UnmarshalText carry the text form.
func (c Cursor) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Cursor) UnmarshalText(b []byte) error {
	d, err := ParseCursor(string(b))
	if err == nil {
		*c = d
	}
	return err
}

func (c Cursor) mark(shard uint16) Mark {
	for _, m := range c.marks {
		if m.Shard == shard {
			return m
		}
	}
	return Mark{}
}
