// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc64"
	"io/fs"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An area is what recvmmsg needs, then atOnce buffers.
const (
	sizeHdr   = int(unsafe.Sizeof(mmsghdr{}))
	sizeIovec = int(unsafe.Sizeof(unix.Iovec{}))
	sizeName  = int(unsafe.Sizeof(unix.RawSockaddrInet6{}))
	areaHead  = (atOnce*(sizeHdr+sizeIovec+sizeName) + headSize - 1) / headSize * headSize
)

// OpenInflight makes the file anew for so many UDP sockets, whose datagrams are longest bytes at most. It returns what
// an earlier process left in it, oldest first; what had no number gets the first ones of the epoch given. All of that
// is in the new file, until Release.
func OpenInflight(file string, epoch uint64, sockets, longest int) (*Inflight, []Kept, error) {
	fail := func(err error) (*Inflight, []Kept, error) {
		return nil, nil, fmt.Errorf("socket: keeping what is in flight: %s: %w", file, err)
	}
	boot, err := Boot()
	if err != nil {
		return fail(err)
	}
	kept, err := left(file, boot, epoch)
	if err != nil {
		return fail(err)
	}
	sockets, longest = min(sockets, maxAreas), min(longest, 65535)
	ring := ringBytes
	for i := range kept {
		ring += (recordHead + len(kept[i].Client) + len(kept[i].Data) + 7) &^ 7
	}
	size := headSize + sockets*areaSize(longest) + (ring+headSize-1)/headSize*headSize
	mem, err := mapped(file+".new", size)
	if err != nil {
		return fail(err)
	}
	f, err := format(mem, boot, sockets, longest)
	if err == nil {
		f.unmap = func() error { return unix.Munmap(mem) }
		for i := range kept {
			if i == 0 || kept[i].Epoch != kept[i-1].Epoch {
				f.last = kept[i].Prev
			}
			f.Keep(&kept[i], nil)
		}
		if len(kept) == 0 || kept[len(kept)-1].Epoch != epoch {
			f.last = 0
		}
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fail(errors.Join(err, unix.Munmap(mem)))
	}
	return f, kept, nil
}

// left reads what an earlier process left behind.
func left(file string, boot, epoch uint64) ([]Kept, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(data) < headSize || string(data[:8]) != inflightMagic || *(*uint64)(unsafe.Pointer(&data[8])) != boot {
		return nil, nil
	}
	kept, raw, err := recoverKept(data)
	if err != nil { // what could be read of it is what there is
		kept = slices.DeleteFunc(kept, func(k Kept) bool { return k.Epoch >= epoch })
	}
	for i := range raw {
		raw[i].Epoch, raw[i].Unit, raw[i].Prev = epoch, uint64(i), uint64(i)
	}
	return append(kept, raw...), nil
}

// Boot tells this boot of the machine from others.
func Boot() (uint64, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return crc64.Checksum(bytes.TrimSpace(id), crc64.MakeTable(crc64.ECMA)), err
}

// mapped makes a file whose blocks are there, so that writing to its memory cannot fail for want of space.
func mapped(file string, size int) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, int64(size)); err != nil {
		return nil, fmt.Errorf("reserving %d bytes: %w", size, err)
	}
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// Attach makes a socket receive into the memory of the file. Call it before the first read.
func (f *Inflight) Attach(i int, u *UDP) {
	if f == nil || i >= len(f.areas) {
		return
	}
	u.recv = f.areas[i].receiver()
}

// tables are the parts of an area.
func (a *area) tables() (hdrs []mmsghdr, iovs []unix.Iovec, names []unix.RawSockaddrInet6, buf func(int) []byte) {
	at := unsafe.Pointer(&a.mem[0])
	hdrs = unsafe.Slice((*mmsghdr)(at), atOnce)
	iovs = unsafe.Slice((*unix.Iovec)(unsafe.Add(at, atOnce*sizeHdr)), atOnce)
	names = unsafe.Slice((*unix.RawSockaddrInet6)(unsafe.Add(at, atOnce*(sizeHdr+sizeIovec))), atOnce)
	return hdrs, iovs, names, func(i int) []byte {
		from := areaHead + i*a.longest
		return a.mem[from : from+a.longest : from+a.longest]
	}
}

func (a *area) receiver() *receiver {
	hdrs, iovs, names, buf := a.tables()
	r := &receiver{hdrs: hdrs, iovs: iovs, names: names, bufs: make([][]byte, atOnce), area: a}
	for i := range r.bufs {
		r.bufs[i] = buf(i)
	}
	r.join()
	return r
}

// received are the datagrams of the last round behind the first n.
func (a *area) received(n uint64) (list []Kept) {
	hdrs, _, names, buf := a.tables()
	for i := n; i < atOnce && a.round() > 0 && hdrs[i].len != notReceived; i++ {
		b := buf(int(i))
		list = append(list, Kept{At: time.Now().UnixNano(), Peer: address(&names[i]).Addr(),
			Cut: hdrs[i].hdr.Flags&unix.MSG_TRUNC != 0, Data: slices.Clone(b[:min(int(hdrs[i].len), len(b))])})
	}
	return list
}
