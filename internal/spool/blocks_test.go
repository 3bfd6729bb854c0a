// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/minio/highwayhash"
)

// blockMessage writes a message as the embedded server does.
func blockMessage(key []byte, seq uint64, subject, body string) []byte {
	b := make([]byte, blockHead, blockHead+len(subject)+len(body)+blockSum)
	binary.LittleEndian.PutUint32(b, uint32(cap(b)))
	binary.LittleEndian.PutUint64(b[4:], seq)
	binary.LittleEndian.PutUint16(b[20:], uint16(len(subject)))
	h, _ := highwayhash.New64(key)
	_, _ = h.Write(b[4:20])
	_, _ = h.Write([]byte(subject))
	_, _ = h.Write([]byte(body))
	return h.Sum(append(append(b, subject...), body...))
}

// TestInspectBlock flips every byte of a block: each is found, and what stands before it is still read. The checksum
// does not cover where the subject ends: that is found by the record's own.
func TestInspectBlock(t *testing.T) {
	key := sha256.Sum256([]byte("SPOOL-1"))
	block := blockMessage(key[:], 1, "haidang.spool.SPOOL", "một")
	first := len(block)
	block = append(block, blockMessage(key[:], 2, "haidang.spool.SPOOL", "hai")...)
	for at := -1; at < len(block); at++ {
		data := append([]byte(nil), block...)
		if at >= 0 {
			data[at] ^= 0x10
		}
		var read []uint64
		damaged, err := inspectBlock(data, key[:], func(seq uint64, _ []byte) error { read = append(read, seq); return nil })
		if err != nil {
			t.Fatal(err)
		}
		length := at >= 0 && at%first == 20
		if (len(damaged) == 0) != (at < 0) && !length {
			t.Errorf("byte %d: %v", at, damaged)
		}
		if (at < 0 || at >= first) && (len(read) == 0 || read[0] != 1) {
			t.Errorf("byte %d: read %v", at, read)
		}
	}
}

func FuzzInspectBlock(f *testing.F) {
	key := sha256.Sum256([]byte("SPOOL-1"))
	block := blockMessage(key[:], 1, "haidang.spool.SPOOL", "một")
	f.Add(block)
	f.Add(append(block, block[:20]...))
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		damaged, err := inspectBlock(data, key[:], func(_ uint64, body []byte) error { total += len(body); return nil })
		if err != nil || total > len(data) || len(damaged) > len(data)/(blockHead+blockSum)+1 {
			t.Errorf("%d bytes of %d, %d places: %v", total, len(data), len(damaged), err)
		}
	})
}
