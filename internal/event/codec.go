// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"
)

// Limits of the codec. A batch over them is refused, whoever sent it.
const (
	MaxEncoded  = 1 << 20   // bytes of an encoded batch
	MaxEvent    = 256 << 10 // bytes of one event's values
	maxDecoded  = 16 << 20  // bytes of a batch before compression
	maxSource   = 512       // bytes of a source's name
	headerBytes = 48
	fieldBytes  = 12
)

var magic = [4]byte{'H', 'D', 'B', 1}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt is what Decode's errors wrap: the bytes are no batch of ours, or were damaged.
var ErrCorrupt = errors.New("corrupt batch")

// Encode appends the batch to dst: magic and version, CRC32C of the rest, then S2 of the names of its dynamic ids and
// the three slabs, little-endian. It does not check MaxEncoded: the caller who may split a batch does.
func Encode(dst []byte, b *Batch) []byte {
	used := b.dynamicIDs()
	size := len(b.source) + len(b.headers)*headerBytes + len(b.fields)*fieldBytes + len(b.values) + 64
	body := make([]byte, 0, size+len(used)*32)
	le := binary.LittleEndian
	body = le.AppendUint16(body, staticFields)
	body = le.AppendUint16(body, uint16(len(b.source)))
	body = append(body, b.source...)
	body = le.AppendUint64(body, b.epoch)
	body = le.AppendUint64(body, b.first)
	body = le.AppendUint64(body, b.last)
	body = le.AppendUint32(body, uint32(len(b.headers)))
	body = le.AppendUint32(body, uint32(len(b.fields)))
	body = le.AppendUint32(body, uint32(len(b.values)))
	body = le.AppendUint16(body, uint16(len(used)))
	for _, id := range used {
		name := id.Name()
		body = le.AppendUint16(body, uint16(id))
		body = le.AppendUint16(body, uint16(len(name)))
		body = append(body, name...)
	}
	for i := range b.headers {
		h := &b.headers[i]
		body = append(body, h.id[:]...)
		body = le.AppendUint64(body, uint64(h.time))
		body = le.AppendUint64(body, uint64(h.created))
		body = le.AppendUint64(body, uint64(h.ingested))
		body = le.AppendUint32(body, h.first)
		body = le.AppendUint32(body, h.end)
	}
	for _, f := range b.fields {
		body = le.AppendUint16(body, uint16(f.id))
		body = append(body, byte(f.kind), byte(f.elem))
		body = le.AppendUint32(body, f.off)
		body = le.AppendUint32(body, f.len)
	}
	body = append(body, b.values...)

	start := len(dst)
	dst = append(dst, magic[:]...)
	dst = append(dst, 0, 0, 0, 0)
	n := len(dst)
	dst = slices.Grow(dst, s2.MaxEncodedLen(len(body)))
	dst = dst[:n+len(s2.Encode(dst[n:n+s2.MaxEncodedLen(len(body))], body))]
	le.PutUint32(dst[start+4:], crc32.Checksum(dst[n:], castagnoli))
	return dst
}

func (b *Batch) dynamicIDs() []FieldID {
	var used []FieldID
	for _, f := range b.fields {
		if f.id >= firstDynamic && !slices.Contains(used, f.id) {
			used = append(used, f.id)
		}
	}
	return used
}

// Decode reads what Encode wrote. It trusts nothing: sizes are bounded before anything is allocated, the checksum and
// every offset, kind and order are verified. data is not kept. The error wraps ErrCorrupt.
func Decode(data []byte) (*Batch, error) {
	b, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("event: decoding a batch of %d bytes: %w: %w", len(data), ErrCorrupt, err)
	}
	return b, nil
}

func decode(data []byte) (*Batch, error) {
	if len(data) < 8 || [4]byte(data[:4]) != magic {
		return nil, errors.New("no batch of this version")
	}
	if crc32.Checksum(data[8:], castagnoli) != binary.LittleEndian.Uint32(data[4:]) {
		return nil, errors.New("checksum differs")
	}
	if n, err := s2.DecodedLen(data[8:]); err != nil || n > maxDecoded {
		return nil, fmt.Errorf("%d bytes once expanded: %v", n, err)
	}
	body, err := s2.Decode(nil, data[8:])
	if err != nil {
		return nil, err
	}
	r := reader{rest: body}
	if t := int(r.u16()); t > staticFields {
		return nil, fmt.Errorf("written with %d fields, this program knows %d: upgrade it", t, staticFields)
	}
	b := &Batch{source: strings.Clone(string(r.bytes(min(int(r.u16()), maxSource))))}
	b.epoch, b.first, b.last = r.u64(), r.u64(), r.u64()
	nh, nf, nv := int(r.u32()), int(r.u32()), int(r.u32())
	names, err := r.names()
	if err != nil {
		return nil, err
	}
	if r.short || len(r.rest) != nh*headerBytes+nf*fieldBytes+nv || b.last < b.first {
		return nil, errors.New("sizes do not add up")
	}
	b.headers = make([]header, nh)
	b.fields = make([]field, nf)
	hs, fs := r.rest[:nh*headerBytes], r.rest[nh*headerBytes:nh*headerBytes+nf*fieldBytes]
	b.values = r.rest[nh*headerBytes+nf*fieldBytes:]
	if err := b.readFields(fs, names); err != nil {
		return nil, err
	}
	return b, b.readHeaders(hs, len(names) > 0)
}

func (b *Batch) readHeaders(hs []byte, resort bool) error {
	le := binary.LittleEndian
	next := uint32(0)
	for i := range b.headers {
		x := hs[i*headerBytes : (i+1)*headerBytes]
		h := &b.headers[i]
		copy(h.id[:], x)
		h.time, h.created, h.ingested = int64(le.Uint64(x[16:])), int64(le.Uint64(x[24:])), int64(le.Uint64(x[32:]))
		h.first, h.end = le.Uint32(x[40:]), le.Uint32(x[44:])
		// A cut batch leaves fields that belong to no header, so a gap is allowed; going back is not.
		if h.first < next || h.end < h.first || h.end > uint32(len(b.fields)) {
			return fmt.Errorf("event %d: fields out of place", i)
		}
		next = h.end
		own := b.fields[h.first:h.end]
		if resort {
			slices.SortFunc(own, func(a, c field) int { return int(a.id) - int(c.id) })
		}
		for k := 1; k < len(own); k++ {
			if own[k].id <= own[k-1].id {
				return fmt.Errorf("event %d: fields out of order", i)
			}
		}
	}
	return nil
}

func (b *Batch) readFields(fs []byte, names map[FieldID]FieldID) error {
	le := binary.LittleEndian
	for i := range b.fields {
		x := fs[i*fieldBytes : (i+1)*fieldBytes]
		f := field{FieldID(le.Uint16(x)), Kind(x[2]), Kind(x[3]), le.Uint32(x[4:]), le.Uint32(x[8:])}
		switch {
		case f.id == 0 || f.kind == None || f.kind > List:
			return fmt.Errorf("field %d: invalid", i)
		case f.id >= firstDynamic:
			id, ok := names[f.id]
			if !ok {
				return fmt.Errorf("field %d: no name", i)
			}
			f.id = id
		case f.id > staticFields:
			return fmt.Errorf("field %d: unknown id %d", i, f.id)
		}
		if f.kind == String || f.kind == IP || f.kind == List {
			if uint64(f.off)+uint64(f.len) > uint64(len(b.values)) {
				return fmt.Errorf("field %d: value out of bounds", i)
			}
			v := b.values[f.off : f.off+f.len]
			if f.kind == IP && len(v) != 4 && len(v) != 16 || f.kind == List && !validList(string(v), f.elem) {
				return fmt.Errorf("field %d: malformed value", i)
			}
		}
		b.fields[i] = f
	}
	return nil
}

func validList(s string, elem Kind) bool {
	n, size := uvarint(s)
	if size == 0 {
		return false
	}
	s = s[size:]
	for range n {
		_, rest, ok := element(s, elem)
		if !ok {
			return false
		}
		s = rest
	}
	return s == ""
}

// reader takes integers off the front of bytes; once they run out it answers zeros and short is true.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.short, r.rest = true, nil
		return nil
	}
	x := r.rest[:n]
	r.rest = r.rest[n:]
	return x
}

func (r *reader) u16() uint16 {
	if x := r.bytes(2); x != nil {
		return binary.LittleEndian.Uint16(x)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if x := r.bytes(4); x != nil {
		return binary.LittleEndian.Uint32(x)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if x := r.bytes(8); x != nil {
		return binary.LittleEndian.Uint64(x)
	}
	return 0
}

// names reads the dynamic names and gives each its id in this process. Where the registry is full the batch is
// refused: that takes a sender who invents names.
func (r *reader) names() (map[FieldID]FieldID, error) {
	n := int(r.u16())
	if n == 0 {
		return nil, nil
	}
	names := make(map[FieldID]FieldID, min(n, 1024))
	taken := make(map[FieldID]bool, min(n, 1024))
	for range n {
		old := FieldID(r.u16())
		name := string(r.bytes(int(r.u16())))
		if r.short || old < firstDynamic {
			return nil, errors.New("dynamic names cut short")
		}
		id, ok := Intern(name)
		if !ok {
			return nil, fmt.Errorf("no room for the field name %.64q", name)
		}
		if taken[id] {
			return nil, fmt.Errorf("the field name %.64q twice", name)
		}
		names[old], taken[id] = id, true
	}
	return names, nil
}
