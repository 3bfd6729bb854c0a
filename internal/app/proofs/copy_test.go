// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package proofs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// copied is one line of the file that the third reader keeps: a whole record and the cursor after it, in one write. A
// kill may tear the last line; what was written before stays, since the kernel has it.
type copied struct {
	Cursor      spool.Cursor      `json:"cursor"`
	At          spool.Position    `json:"at"`
	Incarnation spool.Incarnation `json:"incarnation"`
	Clock       int64             `json:"clock"`
	Kind        spool.Kind        `json:"kind"`
	Batches     [][]byte          `json:"batches,omitempty"`
	Drops       []spool.Drop      `json:"drops,omitempty"`
	Control     json.RawMessage   `json:"control,omitempty"`
}

func copyOf(after spool.Cursor, r *spool.Record) copied {
	c := copied{Cursor: after.Advance(r), At: r.At, Incarnation: r.Incarnation, Clock: r.Clock, Kind: r.Kind,
		Drops: r.Drops}
	for _, b := range r.Batches {
		c.Batches = append(c.Batches, event.Encode(nil, b))
	}
	c.Control, _ = r.Control.(json.RawMessage)
	return c
}

// record is the record that was copied.
func (c *copied) record() (*spool.Record, error) {
	r := &spool.Record{At: c.At, Incarnation: c.Incarnation, Clock: c.Clock, Kind: c.Kind, Drops: c.Drops}
	for _, data := range c.Batches {
		b, err := event.Decode(data)
		if err != nil {
			return nil, err
		}
		r.Batches = append(r.Batches, b)
	}
	if len(c.Control) > 0 {
		r.Control = c.Control
	}
	return r, nil
}

func copyPath(dir string) string { return filepath.Join(dir, "copy") }

// readCopy returns the whole lines of the file and their length.
func readCopy(dir string) (lines []copied, size int64, err error) {
	data, err := os.ReadFile(copyPath(dir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, err
	}
	for {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return lines, size, nil
		}
		var c copied
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, 0, err
		}
		lines, size, data = append(lines, c), size+int64(len(line))+1, rest
	}
}

// copyRecords is the third reader: it goes on from its own place and trims behind it.
func copyRecords(ctx context.Context, s *spool.Spool, dir string) error {
	at, f, err := openCopy(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	for r, err := range s.Read(ctx, at) {
		if err != nil {
			return err
		}
		c := copyOf(at, &r)
		at = c.Cursor
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			return err
		}
		if r.At.Seq%16 == 0 {
			if err := s.Trim("copy", at); err != nil {
				return err
			}
		}
	}
	return nil
}

// openCopy cuts a torn line off and returns where to go on.
func openCopy(dir string) (at spool.Cursor, f *os.File, err error) {
	lines, size, err := readCopy(dir)
	if err != nil {
		return at, nil, err
	}
	if len(lines) > 0 {
		at = lines[len(lines)-1].Cursor
	}
	if f, err = os.OpenFile(copyPath(dir), os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
		return at, nil, err
	}
	err = f.Truncate(size)
	if err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err != nil {
		return at, nil, errors.Join(err, f.Close())
	}
	return at, f, nil
}
