// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// ContentType is that of a request's body: four bytes of magic, then frames. A frame is its kind (one byte), the
// length of what follows (four bytes, little-endian) and that many bytes: an encoded batch, or a declared drop as JSON.
const ContentType = "application/vnd.haidang.spool.v1"

const magic = "HDI\x01"

// Kinds of frames.
const (
	frameBatch byte = 1
	frameDrop  byte = 2
)

// Limits of one request, whoever sends it.
const (
	MaxBody    = 16 << 20 // bytes, before and after gzip
	maxDecoded = 64 << 20 // bytes of its batches in memory
	maxFrames  = 4096
	maxDrop    = 8 << 10 // bytes of a declared drop
)

// errTooLarge means that a limit was exceeded: the sender splits what it sends.
var errTooLarge = errors.New("request is too large, send it in parts")

// item is one frame: a batch or a drop.
type item struct {
	batch *event.Batch
	drop  *spool.Drop
}

func (i item) source() string {
	if i.batch != nil {
		return i.batch.Source()
	}
	return i.drop.Source
}

// AppendBatch appends a frame with a batch to the body of a request, which begins with AppendStart.
func AppendBatch(dst []byte, b *event.Batch) []byte {
	dst = append(dst, frameBatch, 0, 0, 0, 0)
	n := len(dst)
	dst = event.Encode(dst, b)
	binary.LittleEndian.PutUint32(dst[n-4:], uint32(len(dst)-n))
	return dst
}

// AppendDrop appends a frame with a declared drop.
func AppendDrop(dst []byte, d spool.Drop) ([]byte, error) {
	doc, err := json.Marshal(d)
	if err != nil || len(doc) > maxDrop {
		return dst, fmt.Errorf("declared drop of %d bytes: too long: %v", len(doc), err)
	}
	dst = append(dst, frameDrop)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(doc)))
	return append(dst, doc...), nil
}

// AppendStart appends what a body begins with.
func AppendStart(dst []byte) []byte { return append(dst, magic...) }

// parse reads a whole body. It trusts nothing: every length is bounded before it is believed, and every event must
// carry the id that its source, epoch and range give it, so that no sender takes the place of another's events.
func parse(body []byte) ([]item, error) {
	rest, ok := bytes.CutPrefix(body, []byte(magic))
	if !ok {
		return nil, errors.New("body does not begin with this version's magic")
	}
	var items []item
	decoded := 0
	for len(rest) > 0 {
		if len(items) == maxFrames {
			return nil, fmt.Errorf("%w: more than %d frames", errTooLarge, maxFrames)
		}
		if len(rest) < 5 {
			return nil, errors.New("body ends within a frame's head")
		}
		kind, n := rest[0], binary.LittleEndian.Uint32(rest[1:])
		if n > event.MaxEncoded || kind == frameDrop && n > maxDrop {
			return nil, fmt.Errorf("%w: frame %d has %d bytes", errTooLarge, len(items), n)
		}
		if rest = rest[5:]; uint64(n) > uint64(len(rest)) {
			return nil, errors.New("body ends within a frame")
		}
		it, err := parseFrame(kind, rest[:n])
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", len(items), err)
		}
		if it.batch != nil {
			if decoded += it.batch.Size(); decoded > maxDecoded {
				return nil, fmt.Errorf("%w: batches over %d bytes in memory", errTooLarge, maxDecoded)
			}
		}
		items, rest = append(items, it), rest[n:]
	}
	return items, nil
}

func parseFrame(kind byte, data []byte) (item, error) {
	switch kind {
	case frameBatch:
		b, err := event.Decode(data)
		if err != nil {
			return item{}, err
		}
		return item{batch: b}, checkBatch(b)
	case frameDrop:
		var d spool.Drop
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&d); err != nil {
			return item{}, fmt.Errorf("declared drop: %w", err)
		}
		if d.Source == "" || d.First >= d.Last {
			return item{}, fmt.Errorf("declared drop of %q: impossible range [%d, %d)", d.Source, d.First, d.Last)
		}
		return item{drop: &d}, nil
	}
	return item{}, fmt.Errorf("unknown kind %d", kind)
}

// checkBatch refuses batches whose events claim ids outside the batch's source, epoch and range.
func checkBatch(b *event.Batch) error {
	if b.Source() == "" || b.First() >= b.Last() || b.Last() > 1<<48 {
		return fmt.Errorf("batch of %q: impossible range [%d, %d)", b.Source(), b.First(), b.Last())
	}
	own := event.MakeID(b.Source(), b.Epoch(), 0, 0)
	for e := range b.Events() {
		id := e.ID()
		if unit := id.Unit(); [8]byte(id[:8]) != [8]byte(own[:8]) || unit < b.First() || unit >= b.Last() {
			return fmt.Errorf("batch of %q: event %d has the id %v of another source, epoch or range", b.Source(),
				e.Index(), id)
		}
	}
	return nil
}
