// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/haidang-soc/haidang/internal/event"
)

// A record as stored is a head of headBytes (magic, kind, three zero bytes, clock, nonce, CRC32C of all that follows),
// then entries one after another, or the JSON of a control record. Little-endian.
const (
	headBytes  = 32
	maxSource  = 512
	maxReason  = 1 << 10
	entrySlack = maxSource + 64 // of an entry beyond its payload, at most
)

var frameMagic = [4]byte{'H', 'D', 'R', 1}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Kinds of entries.
const (
	entryBatch byte = 1
	entryDrop  byte = 2
)

// entry is a batch or a declared drop within a record. Its ranges stand outside the encoded batch, so that the table
// is rebuilt without decoding.
type entry struct {
	kind    byte
	source  string
	span    span
	events  uint64
	payload []byte // the encoded batch, or the reason
}

func appendEntry(dst []byte, e *entry) []byte {
	dst = append(dst, e.kind)
	dst = binary.AppendUvarint(dst, uint64(len(e.source)))
	dst = append(dst, e.source...)
	dst = binary.AppendUvarint(dst, e.span.Epoch)
	dst = binary.AppendUvarint(dst, e.span.Start)
	dst = binary.AppendUvarint(dst, e.span.Last)
	dst = binary.AppendUvarint(dst, e.events)
	dst = binary.AppendUvarint(dst, uint64(len(e.payload)))
	return append(dst, e.payload...)
}

// seal fills the head of a record whose body stands behind headBytes of room.
func seal(rec []byte, kind Kind, clock int64, nonce uint64) {
	copy(rec, frameMagic[:])
	rec[4], rec[5], rec[6], rec[7] = byte(kind), 0, 0, 0
	binary.LittleEndian.PutUint64(rec[8:], uint64(clock))
	binary.LittleEndian.PutUint64(rec[16:], nonce)
	clear(rec[24:headBytes])
	binary.LittleEndian.PutUint32(rec[24:], checksum(rec))
}

// checksum covers the head before it and the body.
func checksum(rec []byte) uint32 {
	return crc32.Update(crc32.Checksum(rec[:24], castagnoli), castagnoli, rec[headBytes:])
}

// frame is a record whose head was read and whose checksum holds.
type frame struct {
	kind  Kind
	clock int64
	nonce uint64
	body  []byte
}

func parseFrame(rec []byte) (frame, error) {
	if len(rec) < headBytes || [4]byte(rec[:4]) != frameMagic {
		return frame{}, errors.New("no record of this version")
	}
	if binary.LittleEndian.Uint32(rec[24:]) != checksum(rec) {
		return frame{}, errors.New("record checksum differs")
	}
	f := frame{kind: Kind(rec[4]), clock: int64(binary.LittleEndian.Uint64(rec[8:])),
		nonce: binary.LittleEndian.Uint64(rec[16:]), body: rec[headBytes:]}
	if f.kind < KindBatches || f.kind > KindControl {
		return frame{}, fmt.Errorf("record of unknown kind %d", f.kind)
	}
	return f, nil
}

// entries calls each for every entry, whose payload aliases the record.
func (f *frame) entries(each func(e *entry) error) error {
	rest := f.body
	bad := errors.New("record is cut short")
	uvarint := func() uint64 {
		n, k := binary.Uvarint(rest)
		if k <= 0 {
			rest = nil
			return 0
		}
		rest = rest[k:]
		return n
	}
	bytes := func() []byte {
		n := uvarint()
		if rest == nil || n > uint64(len(rest)) {
			rest = nil
			return nil
		}
		b := rest[:n:n]
		rest = rest[n:]
		return b
	}
	for len(rest) > 0 {
		e := entry{kind: rest[0]}
		rest = rest[1:]
		e.source = string(bytes())
		e.span = span{uvarint(), uvarint(), uvarint()}
		e.events = uvarint()
		e.payload = bytes()
		switch {
		case rest == nil:
			return bad
		case e.kind != entryBatch && e.kind != entryDrop:
			return fmt.Errorf("record has an entry of unknown kind %d", e.kind)
		case e.span.Last < e.span.Start || len(e.source) > maxSource:
			return errors.New("record has an entry with an impossible range")
		}
		if err := each(&e); err != nil {
			return err
		}
	}
	return nil
}

// decode makes the Record of a frame, without its place.
func (f *frame) decode() (Record, error) {
	r := Record{Clock: f.clock, Kind: f.kind}
	switch f.kind {
	case KindControl:
		r.Control = json.RawMessage(f.body)
	case KindBatches:
		err := f.entries(func(e *entry) error {
			if e.kind == entryDrop {
				r.Drops = append(r.Drops, Drop{e.source, e.span.Epoch, e.span.Start, e.span.Last, string(e.payload)})
				return nil
			}
			b, err := event.Decode(e.payload)
			if err == nil {
				r.Batches = append(r.Batches, b)
			}
			return err
		})
		if err != nil {
			return Record{}, err
		}
	}
	return r, nil
}
