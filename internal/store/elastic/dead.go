// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/haidang-soc/haidang/internal/spool"
)

// deadLetter is a line of <dir>/deadletters.ndjson: a document that the cluster refused for good, with the reason.
type deadLetter struct {
	ID     string          `json:"id"`
	Seq    uint64          `json:"seq"` // of the record
	Status int             `json:"status"`
	Reason string          `json:"reason"`
	Action json.RawMessage `json:"action"`
	Event  json.RawMessage `json:"event"`
}

// deadLetters is the file. Its methods are safe for concurrent use.
type deadLetters struct {
	mu   sync.Mutex
	f    *os.File
	size int64
	max  int64
	have map[letterKey]struct{} // letters above the cursor: not written twice
}

type letterKey struct {
	id  string
	seq uint64
}

// openDead opens the file. A line that a crash cut off goes: its document is refused again.
func openDead(dir string, max int64, cursor spool.Cursor) (*deadLetters, error) {
	path := filepath.Join(dir, "deadletters.ndjson")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("store/elastic: opening the dead letters: %w", err)
	}
	d := &deadLetters{f: f, max: max, have: map[letterKey]struct{}{}}
	for r := bufio.NewReaderSize(f, 1<<16); err == nil; {
		var line []byte
		if line, err = r.ReadBytes('\n'); err != nil {
			break
		}
		d.size += int64(len(line))
		var l struct {
			ID  string `json:"id"`
			Seq uint64 `json:"seq"`
		}
		if json.Unmarshal(line, &l) == nil && !cursor.Has(spool.Position{Seq: l.Seq}) {
			d.have[letterKey{l.ID, l.Seq}] = struct{}{}
		}
	}
	if !errors.Is(err, io.EOF) {
		f.Close()
		return nil, fmt.Errorf("store/elastic: reading %s: %w", path, err)
	}
	if err := f.Truncate(d.size); err != nil {
		f.Close()
		return nil, fmt.Errorf("store/elastic: cutting %s: %w", path, err)
	}
	return d, nil
}

// add returns once the letter is on disk.
func (d *deadLetters) add(l deadLetter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.have[letterKey{l.ID, l.Seq}]; ok {
		return nil
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return fmt.Errorf("store/elastic: keeping the dead letter %s: %w", l.ID, err)
	}
	if d.size+int64(line.Len()) > d.max {
		return fmt.Errorf("store/elastic: the cluster refuses document %s (%d %.200s), and the dead letters are full: "+
			"mend the cause, then move %s away", l.ID, l.Status, l.Reason, d.f.Name())
	}
	_, err := d.f.WriteAt(line.Bytes(), d.size)
	if err = errors.Join(err, d.f.Sync()); err != nil {
		return fmt.Errorf("store/elastic: keeping the dead letter %s: %w", l.ID, err)
	}
	d.size += int64(line.Len())
	d.have[letterKey{l.ID, l.Seq}] = struct{}{}
	return nil
}

// synced forgets which letters there are: their records do not come again.
func (d *deadLetters) synced() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.have)
}

func (d *deadLetters) close() error { return d.f.Close() }
