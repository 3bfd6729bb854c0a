// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
	"time"
	"unsafe"
)

// Value is a field's value. The zero Value has kind None. A Value of kind String, IP or List aliases the memory of the
// batch or builder it came from. Asking a Value for another kind than its own gives that kind's zero.
type Value struct {
	kind Kind
	elem Kind
	num  uint64
	str  string
}

func value(f field, values []byte) Value {
	switch f.kind {
	case Int, Float, Bool, Time:
		return Value{kind: f.kind, num: f.num()}
	}
	v := Value{kind: f.kind, elem: f.elem}
	if f.len > 0 {
		v.str = unsafe.String(&values[f.off], int(f.len))
	}
	return v
}

// StringValue makes a Value of kind String.
func StringValue(s string) Value { return Value{kind: String, str: s} }

// Kind returns the kind.
func (v Value) Kind() Kind { return v.kind }

// Str returns the text of a String.
func (v Value) Str() string {
	if v.kind != String {
		return ""
	}
	return v.str
}

// Int returns the number of an Int.
func (v Value) Int() int64 {
	if v.kind != Int {
		return 0
	}
	return int64(v.num)
}

// Float returns the number of a Float, and of an Int as well.
func (v Value) Float() float64 {
	switch v.kind {
	case Float:
		return math.Float64frombits(v.num)
	case Int:
		return float64(int64(v.num))
	}
	return 0
}

// Bool returns the truth of a Bool.
func (v Value) Bool() bool { return v.kind == Bool && v.num != 0 }

// IP returns the address of an IP; IPv4 is never mapped into IPv6.
func (v Value) IP() netip.Addr {
	if v.kind != IP {
		return netip.Addr{}
	}
	return addr(v.str)
}

func addr(s string) netip.Addr {
	switch len(s) {
	case 4:
		return netip.AddrFrom4([4]byte{s[0], s[1], s[2], s[3]})
	case 16:
		var a [16]byte
		copy(a[:], s)
		return netip.AddrFrom16(a)
	}
	return netip.Addr{}
}

// Time returns the nanoseconds since 1970 of a Time.
func (v Value) Time() int64 {
	if v.kind != Time {
		return 0
	}
	return int64(v.num)
}

// Len returns the number of values of a List, 1 for any other value and 0 for None.
func (v Value) Len() int {
	switch v.kind {
	case None:
		return 0
	case List:
		n, _ := uvarint(v.str)
		return int(n)
	}
	return 1
}

// At returns element i of a List, from 0; of any other value, At(0) is the value itself.
func (v Value) At(i int) Value {
	if v.kind != List {
		if i == 0 {
			return v
		}
		return Value{}
	}
	n, size := uvarint(v.str)
	if i < 0 || uint64(i) >= n {
		return Value{}
	}
	rest := v.str[size:]
	for {
		x, tail, ok := element(rest, v.elem)
		if !ok || i == 0 {
			return x
		}
		rest = tail
		i--
	}
}

// All yields the elements of a List, or the value itself.
func (v Value) All(yield func(Value) bool) {
	if v.kind == None {
		return
	}
	if v.kind != List {
		yield(v)
		return
	}
	n, size := uvarint(v.str)
	rest := v.str[size:]
	for range n {
		x, tail, ok := element(rest, v.elem)
		if !ok || !yield(x) {
			return
		}
		rest = tail
	}
}

// element cuts the first element off a list's bytes: a string or address with its length before it, or 8 bytes.
func element(s string, kind Kind) (Value, string, bool) {
	switch kind {
	case String, IP:
		n, size := uvarint(s)
		if size == 0 || uint64(len(s)-size) < n {
			return Value{}, "", false
		}
		return Value{kind: kind, str: s[size : size+int(n)]}, s[size+int(n):], true
	case Int, Float, Bool, Time:
		if len(s) < 8 {
			return Value{}, "", false
		}
		return Value{kind: kind, num: le64(s)}, s[8:], true
	}
	return Value{}, "", false
}

func le64(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// uvarint reads a length; size 0 means the bytes hold none.
func uvarint(s string) (n uint64, size int) {
	for i := 0; i < len(s) && i < binary.MaxVarintLen32; i++ {
		n |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return n, i + 1
		}
	}
	return 0, 0
}

// AppendText appends the canonical text of any value: addresses unmapped, times in RFC 3339 with nanoseconds in UTC,
// lists joined with a space.
func (v Value) AppendText(dst []byte) []byte {
	switch v.kind {
	case String:
		return append(dst, v.str...)
	case Int:
		return strconv.AppendInt(dst, int64(v.num), 10)
	case Float:
		return strconv.AppendFloat(dst, math.Float64frombits(v.num), 'g', -1, 64)
	case Bool:
		return strconv.AppendBool(dst, v.num != 0)
	case IP:
		return v.IP().AppendTo(dst)
	case Time:
		return time.Unix(0, int64(v.num)).UTC().AppendFormat(dst, time.RFC3339Nano)
	case List:
		start := len(dst)
		for x := range v.All {
			if len(dst) > start {
				dst = append(dst, ' ')
			}
			dst = x.AppendText(dst)
		}
	}
	return dst
}

// String returns the text that AppendText appends. Of a String it is the value itself, without a copy.
func (v Value) String() string {
	if v.kind == String {
		return v.str
	}
	return string(v.AppendText(nil))
}
