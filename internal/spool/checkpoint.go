// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/safefile"
)

// When the table of ranges is written down, and when a silent source leaves it.
const (
	checkpointBytes = 64 << 20 // of records since the last
	forgetAfter     = 90 * 24 * time.Hour
)

// checkpoint is the table of ranges as of a record.
type checkpoint struct {
	Incarnation Incarnation   `json:"incarnation"`
	Seq         uint64        `json:"seq"`
	Clock       int64         `json:"clock"`
	Sources     []sourceState `json:"sources"`
}

// sourceState is one row of it.
type sourceState struct {
	Name string `json:"name"`
	span
	Old  []span `json:"old,omitempty"`
	Soft bool   `json:"soft,omitempty"`
	Seen int64  `json:"seen"`
}

func (c sourceState) ranges() ranges {
	return ranges{span: c.span, Old: c.Old, Soft: c.Soft, Seen: c.Seen, some: true}
}

// keepLoop writes checkpoints until the Spool is closed.
func (s *Spool) keepLoop() {
	defer close(s.kept)
	every := time.NewTicker(min(time.Second, s.cfg.Checkpoint))
	defer every.Stop()
	since := time.Now()
	for {
		select {
		case <-s.quit.Done():
			return
		case <-every.C:
		}
		s.mu.Lock()
		n := s.sinceCheckpoint
		s.mu.Unlock()
		if n < checkpointBytes && (n == 0 || time.Since(since) < s.cfg.Checkpoint) {
			continue
		}
		if err := s.writeCheckpoint(); err != nil {
			s.cfg.Log.Warn("spool: writing the checkpoint of ranges", "err", err)
		}
		since = time.Now()
	}
}

// writeCheckpoint writes the table as of the last acknowledged record.
func (s *Spool) writeCheckpoint() error {
	s.files.Lock()
	defer s.files.Unlock()
	s.mu.Lock()
	if s.stats.Fenced {
		s.mu.Unlock()
		return nil // the other writer knows better
	}
	var forgotten []Ack
	ck := checkpoint{Incarnation: s.incarnation, Seq: s.last, Clock: s.lastClock}
	for name, src := range s.table {
		r := src.done
		if !r.some {
			continue
		}
		if src.last == nil && r.Seen != 0 && s.lastClock-r.Seen > int64(forgetAfter) {
			delete(s.table, name)
			forgotten = append(forgotten, Ack{name, r.Epoch, r.Last})
			continue
		}
		ck.Sources = append(ck.Sources, sourceState{name, r.span, r.Old, r.Soft, r.Seen})
	}
	s.sinceCheckpoint = 0
	s.mu.Unlock()
	for _, a := range forgotten {
		s.cfg.Log.Warn("spool: forgetting a source silent for 90 days", "source", a.Source, "epoch", a.Epoch,
			"last", a.Last)
		if s.cfg.OnForget != nil {
			s.cfg.OnForget(a)
		}
	}
	slices.SortFunc(ck.Sources, func(a, b sourceState) int { return strings.Compare(a.Name, b.Name) })
	if err := writeSealed(s.path(".ranges"), ck); err != nil {
		return err
	}
	s.checkpoint = ck.Seq
	return nil
}

// loadCheckpoint reads the file; where there is none it returns the zero checkpoint.
func loadCheckpoint(path string) (checkpoint, error) {
	var ck checkpoint
	err := readSealed(path, &ck)
	return ck, err
}

// writeSealed replaces a file by v as JSON behind a line with its checksum: after a crash the file is the old one or
// the new one.
func writeSealed(path string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	data := fmt.Appendf(nil, "haidang %08x\n%s\n", crc32.Checksum(body, castagnoli), body)
	return safefile.Write(path, data, 0o600)
}

// readSealed reads what writeSealed wrote; a missing file leaves v as it is.
func readSealed(path string, v any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	head, body, _ := bytes.Cut(data, []byte("\n"))
	body = bytes.TrimSuffix(body, []byte("\n"))
	if string(head) != fmt.Sprintf("haidang %08x", crc32.Checksum(body, castagnoli)) {
		return fmt.Errorf("%s: checksum differs", path)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
