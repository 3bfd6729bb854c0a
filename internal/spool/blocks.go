// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"
)

// What a block of JetStream is made of: messages one after another, each a head of 22 bytes (length, sequence, time,
// length of the subject), subject, headers, data and a checksum; nats-server, server/filestore.go.
const (
	blockHead   = 22
	blockSum    = 8
	blockMost   = 32 << 20 // bytes of a message
	hasHeaders  = 1 << 31  // of the length
	deletedBits = 3 << 62  // of the sequence: the message is gone, or says of another that it is
)

// LastBlock returns the number of the newest block of a stream's folder, which messages are appended to; 0 for none.
func LastBlock(stream string) uint64 {
	list, _ := blocks(stream)
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1]
}

// BlockNumber returns the number of a block by its file's name; false when it is not one.
func BlockNumber(name string) (uint64, bool) {
	text, ok := strings.CutSuffix(filepath.Base(name), ".blk")
	n, err := strconv.ParseUint(text, 10, 32)
	return n, ok && err == nil
}

// blocks lists the blocks, oldest first.
func blocks(stream string) (list []uint64, err error) {
	entries, err := os.ReadDir(filepath.Join(stream, "msgs"))
	for _, e := range entries {
		if n, ok := BlockNumber(e.Name()); ok {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, err
}

// Damage is a place in a file whose checksum does not hold.
type Damage struct {
	Path   string
	Offset int64  // bytes
	Seq    uint64 // of the message, as far as it can be read
	What   string
}

// Inspect reads the blocks of a stream's folder without the server, and calls each for every message in order; data is
// valid during the call. It changes nothing and stops at no damage: behind a broken head it goes on with the next
// block.
// The end of the last block may be torn, which a crash does and the server mends: that is not told.
func Inspect(stream string, each func(seq uint64, data []byte) error) (damaged []Damage, err error) {
	list, err := blocks(stream)
	if err != nil {
		return nil, fmt.Errorf("spool: inspecting %s: %w", stream, err)
	}
	for i, n := range list {
		path := filepath.Join(stream, "msgs", strconv.FormatUint(n, 10)+".blk")
		data, err := os.ReadFile(path)
		if err != nil {
			return damaged, fmt.Errorf("spool: inspecting: %w", err)
		}
		key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", filepath.Base(stream), n))
		found, err := inspectBlock(data, key[:], each)
		if err != nil {
			return damaged, err
		}
		for _, d := range found {
			if d.What == torn && i == len(list)-1 {
				continue
			}
			d.Path = path
			damaged = append(damaged, d)
		}
	}
	return damaged, nil
}

const torn = "it is cut short"

func inspectBlock(data, key []byte, each func(seq uint64, data []byte) error) (damaged []Damage, err error) {
	h, err := highwayhash.New64(key)
	if err != nil {
		return nil, err
	}
	for at := 0; at < len(data); {
		rest := data[at:]
		if len(rest) < blockHead+blockSum {
			return append(damaged, Damage{Offset: int64(at), What: torn}), nil
		}
		size := binary.LittleEndian.Uint32(rest)
		headers := size&hasHeaders != 0
		size &^= hasHeaders
		seq := binary.LittleEndian.Uint64(rest[4:])
		subject := int(binary.LittleEndian.Uint16(rest[20:]))
		from := blockHead + subject
		if headers {
			from += 4
		}
		if size > blockMost || int(size) < from+blockSum {
			return append(damaged, Damage{Offset: int64(at), Seq: seq, What: "the head of a message is damaged"}), nil
		}
		if int(size) > len(rest) {
			return append(damaged, Damage{Offset: int64(at), Seq: seq, What: torn}), nil
		}
		msg := rest[:size]
		body := msg[from : len(msg)-blockSum]
		h.Reset()
		_, _ = h.Write(msg[4:20])
		_, _ = h.Write(msg[blockHead : blockHead+subject])
		_, _ = h.Write(body)
		switch {
		case !bytes.Equal(h.Sum(nil), msg[len(msg)-blockSum:]):
			damaged = append(damaged, Damage{Offset: int64(at), Seq: seq &^ deletedBits,
				What: "the checksum of a message does not hold"})
		case seq&deletedBits == 0 && seq != 0:
			if headers {
				n := int(binary.LittleEndian.Uint32(msg[blockHead+subject:]))
				body = body[min(n, len(body)):]
			}
			if err := each(seq, body); err != nil {
				damaged = append(damaged, Damage{Offset: int64(at), Seq: seq, What: err.Error()})
			}
		}
		at += int(size)
	}
	return damaged, nil
}

// CheckRecord looks whether data is a whole record of the spool, as Inspect yields it, and decodes it.
func CheckRecord(data []byte) (Record, error) {
	f, err := parseFrame(data)
	if err != nil {
		return Record{}, err
	}
	return f.decode()
}

// InspectFiles reads the spool's own small files in the data directory and tells each finding.
func InspectFiles(dir, name string, found func(path, what string)) (readers map[string]Cursor) {
	if _, err := loadCheckpoint(filepath.Join(dir, "spool", name+".ranges")); err != nil {
		found(filepath.Join(dir, "spool", name+".ranges"), "its checksum does not hold")
	}
	readers = map[string]Cursor{}
	if err := readSealed(filepath.Join(dir, "spool", name+".readers"), &readers); err != nil {
		found(filepath.Join(dir, "spool", name+".readers"), "its checksum does not hold")
	}
	return readers
}
