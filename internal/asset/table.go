// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// key is an address as a number; IPv4 sits in lo.
type key struct{ hi, lo uint64 }

func keyOf(a netip.Addr) key {
	if a.Is4() {
		x := a.As4()
		return key{0, uint64(binary.BigEndian.Uint32(x[:]))}
	}
	x := a.As16()
	return key{binary.BigEndian.Uint64(x[:8]), binary.BigEndian.Uint64(x[8:])}
}

func (k key) less(o key) bool { return k.hi < o.hi || k.hi == o.hi && k.lo < o.lo }

// table maps every address of the world to a Match: nested ranges flattened to disjoint ones, so that a lookup is one
// binary search however deep they nest.
type table struct{ v4, v6 flat }

type flat struct {
	starts  []key // ascending; the first is 0
	matches []*Match
}

func (t *table) find(a netip.Addr) *Match {
	if a.Is4() {
		return t.v4.find(keyOf(a))
	}
	return t.v6.find(keyOf(a))
}

func (f *flat) find(k key) *Match {
	low, high := 0, len(f.starts)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if k.less(f.starts[mid]) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if low == 0 {
		return &outside
	}
	return f.matches[low-1]
}

// cuts are the addresses at which the answer may change: where a range starts, and behind its end.
type cuts struct{ v4, v6 []netip.Addr }

func (c *cuts) add(p netip.Prefix) {
	list := &c.v6
	if p.Addr().Is4() {
		list = &c.v4
	}
	*list = append(*list, p.Addr())
	if next := lastAddr(p).Next(); next.IsValid() {
		*list = append(*list, next)
	}
}

func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// flatten asks answer at every cut and keeps where it changes.
func (c *cuts) flatten(answer func(netip.Addr) *Match) *table {
	make1 := func(list []netip.Addr, zero netip.Addr) (f flat) {
		list = append(slices.Clone(list), zero)
		slices.SortFunc(list, netip.Addr.Compare)
		for _, a := range slices.Compact(list) {
			m := answer(a)
			if n := len(f.matches); n == 0 || f.matches[n-1] != m {
				f.starts, f.matches = append(f.starts, keyOf(a)), append(f.matches, m)
			}
		}
		return f
	}
	return &table{make1(c.v4, netip.IPv4Unspecified()), make1(c.v6, netip.IPv6Unspecified())}
}

// nest finds the longest of a set of ranges that holds an address.
type nest[T any] struct {
	lengths [2][]int // IPv4, IPv6; descending
	ranges  map[netip.Prefix]T
}

func (n *nest[T]) add(p netip.Prefix, v T) {
	if n.ranges == nil {
		n.ranges = map[netip.Prefix]T{}
	}
	n.ranges[p] = v
	list := &n.lengths[family(p.Addr())]
	if i, ok := slices.BinarySearchFunc(*list, p.Bits(), func(a, b int) int { return b - a }); !ok {
		*list = slices.Insert(*list, i, p.Bits())
	}
}

func (n *nest[T]) find(a netip.Addr) (v T, bits int, ok bool) {
	for _, bits := range n.lengths[family(a)] {
		p, err := a.Prefix(bits)
		if err != nil {
			continue
		}
		if v, ok = n.ranges[p]; ok {
			return v, bits, true
		}
	}
	return v, -1, false
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// ranges is a set of addresses.
type ranges struct{ t *table }

// member is what the table of a set answers for its members.
var member Match

func newRanges(list []prefixAt) ranges {
	var c cuts
	var n nest[bool]
	for _, p := range list {
		c.add(p.Prefix)
		n.add(p.Prefix, true)
	}
	return ranges{c.flatten(func(a netip.Addr) *Match {
		if _, _, ok := n.find(a); ok {
			return &member
		}
		return &outside
	})}
}

func (r ranges) has(a netip.Addr) bool { return a.IsValid() && r.t.find(a.Unmap()) == &member }
