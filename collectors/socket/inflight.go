// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"unsafe"
)

// Kept is a message that was read and not yet safe when its process ended. What it had been numbered, it stays.
type Kept struct {
	Epoch, Unit uint64
	Prev        uint64 // the units [Prev, Unit) of the epoch had no message to keep, or are safe
	At          int64  // when it was read, unix nanoseconds
	Peer        netip.Addr
	Cut         bool
	Client      string
	Data        []byte
}

// Inflight keeps, in a file that is mapped into memory, the messages that were read from sockets and are not safe yet:
// the kernel has such memory also when the process is killed. The memory that datagrams are received into is part of
// the file, so that there is no moment at which only the process has one. It is not for power failures: a file of an
// earlier boot is not read.
//
// A nil Inflight keeps nothing. Its methods but Attach and Datagram.Taken are for one goroutine at a time.
type Inflight struct {
	mem   []byte
	ring  []byte
	areas []area
	last  uint64 // unit after the last one kept
	unmap func() error
}

// The file is a head, an area for each socket and a ring of records. In the head, after magic and boot:
const (
	offRing    = 16 // size of the ring
	offAreas   = 24 // number of areas
	offLongest = 28
	offEnds    = 32 // first and last byte in use of the ring, each 32 bits: one store moves both
	offMarks   = 64 // of each area: its round, and how many datagrams of the round were taken
	headSize   = 4096
	maxAreas   = (headSize - offMarks) / 16

	inflightMagic = "HDINFL1\n"
	recordHead    = 72
	ringBytes     = 4 << 20
	noSkip        = ^uint32(0) // instead of the length of data: nothing more before the ring's end
	notReceived   = ^uint32(0)
)

// area is the memory that one socket's datagrams are received into.
type area struct {
	index   int
	mem     []byte
	longest int
	marks   []byte
}

func (a *area) round() uint64 { return *a.word(0) }
func (a *area) taken() uint64 { return atomic.LoadUint64(a.word(8)) }
func (a *area) word(off int) *uint64 {
	return (*uint64)(unsafe.Pointer(&a.marks[off])) // aligned: the mapping begins at a page
}

// mark says how many datagrams of the round were taken; 0 begins another round.
func (a *area) mark(n uint64) {
	if n == 0 {
		atomic.StoreUint64(a.word(0), a.round()+1)
	}
	atomic.StoreUint64(a.word(8), n)
}

func areaSize(longest int) int { return areaHead + (atOnce*longest+headSize-1)/headSize*headSize }

// layout is what a mapped file looks like.
func layout(mem []byte) (f *Inflight, err error) {
	if len(mem) < headSize || string(mem[:8]) != inflightMagic {
		return nil, errors.New("it does not begin as it should")
	}
	ring := binary.LittleEndian.Uint64(mem[offRing:])
	n := int(binary.LittleEndian.Uint32(mem[offAreas:]))
	longest := int(binary.LittleEndian.Uint32(mem[offLongest:]))
	if n > maxAreas || longest < 1 || longest > 1<<20 || ring < headSize || ring > 1<<31 ||
		uint64(len(mem)) != headSize+uint64(n*areaSize(longest))+ring {
		return nil, errors.New("its sizes are impossible")
	}
	f = &Inflight{mem: mem}
	at := headSize
	for i := range n {
		end := at + areaSize(longest)
		f.areas = append(f.areas, area{index: i, mem: mem[at:end:end], longest: longest,
			marks: mem[offMarks+16*i : offMarks+16*i+16]})
		at = end
	}
	f.ring = mem[at:]
	return f, nil
}

// format makes zeroed memory a file without messages.
func format(mem []byte, boot uint64, areas, longest int) (*Inflight, error) {
	copy(mem, inflightMagic)
	binary.LittleEndian.PutUint64(mem[8:], boot)
	binary.LittleEndian.PutUint64(mem[offRing:], uint64(len(mem)-headSize-areas*areaSize(longest)))
	binary.LittleEndian.PutUint32(mem[offAreas:], uint32(areas))
	binary.LittleEndian.PutUint32(mem[offLongest:], uint32(longest))
	return layout(mem)
}

func (f *Inflight) ends() *uint64 { return (*uint64)(unsafe.Pointer(&f.mem[offEnds])) }

func (f *Inflight) load() (head, tail int) {
	v := atomic.LoadUint64(f.ends())
	return int(v >> 32), int(v & (1<<32 - 1))
}

func (f *Inflight) store(head, tail int) {
	if head == tail {
		head, tail = 0, 0 // the same few pages are used again
	}
	atomic.StoreUint64(f.ends(), uint64(head)<<32|uint64(tail))
}

// Keep keeps a message, and reports whether there was room. d is the datagram it came in, or nil.
func (f *Inflight) Keep(k *Kept, d *Datagram) bool {
	if f == nil {
		return false
	}
	prev := f.last
	f.last = k.Unit + 1
	size := (recordHead + len(k.Client) + len(k.Data) + 7) &^ 7
	head, tail := f.load()
	at := tail
	switch {
	case tail >= head && tail+size <= len(f.ring):
	case tail >= head && size < head:
		at = 0
		if tail+8 <= len(f.ring) {
			binary.LittleEndian.PutUint32(f.ring[tail:], 8)
			binary.LittleEndian.PutUint32(f.ring[tail+4:], noSkip)
		}
	case tail < head && tail+size < head:
	default:
		f.last = prev // the next one covers this unit too
		return false
	}
	k.Prev = prev
	f.put(f.ring[at:at+size], k, d)
	f.store(head, at+size)
	return true
}

func (f *Inflight) put(r []byte, k *Kept, d *Datagram) {
	le := binary.LittleEndian
	le.PutUint32(r, uint32(len(r)))
	le.PutUint32(r[4:], uint32(len(k.Data)))
	le.PutUint64(r[8:], k.Epoch)
	le.PutUint64(r[16:], k.Prev)
	le.PutUint64(r[24:], k.Unit)
	le.PutUint64(r[32:], uint64(k.At))
	var round uint64
	var index, n uint16
	if d != nil && d.area != nil {
		round, index, n = d.area.round(), uint16(d.area.index), d.n
	}
	le.PutUint64(r[40:], round)
	le.PutUint16(r[48:], index)
	le.PutUint16(r[50:], n)
	le.PutUint16(r[52:], uint16(len(k.Client)))
	r[54], r[55] = 0, 0
	if k.Cut {
		r[54] = 1
	}
	ip := [16]byte{}
	if k.Peer.IsValid() {
		ip, r[55] = k.Peer.As16(), 1
	}
	copy(r[56:], ip[:])
	copy(r[recordHead:], k.Client)
	copy(r[recordHead+len(k.Client):], k.Data)
}

// Len is the number of messages that were kept and not released.
func (f *Inflight) Len() (n int) {
	if f == nil {
		return 0
	}
	for head, tail := f.load(); head != tail; {
		if len(f.ring)-head < 8 || binary.LittleEndian.Uint32(f.ring[head+4:]) == noSkip {
			head = 0
			continue
		}
		head += int(binary.LittleEndian.Uint32(f.ring[head:]))
		n++
	}
	return n
}

// Release forgets the messages of the epoch before the unit, and those of epochs before: they are safe.
func (f *Inflight) Release(epoch, unit uint64) {
	if f == nil {
		return
	}
	head, tail := f.load()
	for head != tail {
		if len(f.ring)-head < 8 || binary.LittleEndian.Uint32(f.ring[head+4:]) == noSkip {
			head = 0
			continue
		}
		e, u := binary.LittleEndian.Uint64(f.ring[head+8:]), binary.LittleEndian.Uint64(f.ring[head+24:])
		if e > epoch || e == epoch && u >= unit {
			break
		}
		head += int(binary.LittleEndian.Uint32(f.ring[head:]))
	}
	f.store(head, tail)
}

// Close unmaps the file, which stays. Nothing may be received into it any more.
func (f *Inflight) Close() error {
	if f == nil || f.unmap == nil {
		return nil
	}
	return f.unmap()
}

// recover returns what a file holds: the records of its ring, and the datagrams that were received and not taken, which
// have no number yet. It trusts nothing in mem, whose messages it copies.
func recoverKept(mem []byte) (kept, raw []Kept, err error) {
	f, err := layout(mem)
	if err != nil {
		return nil, nil, err
	}
	taken := make([]uint64, len(f.areas))
	for i := range f.areas {
		taken[i] = f.areas[i].taken()
	}
	head, tail := f.load()
	for steps := 0; head != tail; steps++ {
		if head > len(f.ring) || tail > len(f.ring) || head%8 != 0 || steps > len(f.ring)/recordHead+1 {
			return kept, nil, errors.New("its ring is damaged")
		}
		if len(f.ring)-head < 8 || binary.LittleEndian.Uint32(f.ring[head+4:]) == noSkip {
			head = 0
			continue
		}
		k, size, err := parseKept(f.ring[head:])
		if err != nil {
			return kept, nil, err
		}
		r := f.ring[head:]
		round, index, n := binary.LittleEndian.Uint64(r[40:]), int(binary.LittleEndian.Uint16(r[48:])),
			uint64(binary.LittleEndian.Uint16(r[50:]))
		if n > 0 && index < len(f.areas) && round == f.areas[index].round() {
			taken[index] = max(taken[index], n) // killed between keeping and marking
		}
		kept = append(kept, k)
		head += size
	}
	for i := range f.areas {
		raw = append(raw, f.areas[i].received(taken[i])...)
	}
	return kept, raw, nil
}

func parseKept(r []byte) (k Kept, size int, err error) {
	le := binary.LittleEndian
	if len(r) < recordHead {
		return k, 0, errors.New("its ring is damaged")
	}
	size = int(le.Uint32(r))
	data, client := int(le.Uint32(r[4:])), int(le.Uint16(r[52:]))
	if size%8 != 0 || size > len(r) || data > len(r) || recordHead+client+data > size {
		return k, 0, fmt.Errorf("its ring is damaged: a record of %d bytes", size)
	}
	k = Kept{Epoch: le.Uint64(r[8:]), Prev: le.Uint64(r[16:]), Unit: le.Uint64(r[24:]), At: int64(le.Uint64(r[32:])),
		Cut: r[54] == 1, Client: string(r[recordHead : recordHead+client]),
		Data: slices.Clone(r[recordHead+client : recordHead+client+data])}
	if r[55] == 1 {
		k.Peer = netip.AddrFrom16([16]byte(r[56:72])).Unmap()
	}
	if k.Prev > k.Unit || k.Unit >= 1<<48 {
		return k, 0, errors.New("its ring is damaged: an impossible number")
	}
	return k, size, nil
}
