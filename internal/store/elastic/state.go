// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/haidang-soc/haidang/internal/safefile"
	"github.com/haidang-soc/haidang/internal/spool"
)

// stateFile is the file <dir>/cursor: the cursor of the last Sync, and the sequence up to which records may have been
// sent since.
type stateFile struct {
	cursor spool.Cursor
	sent   uint64
}

const stateHead = "haidang store/elastic cursor 1"

func (f stateFile) write(dir string) error {
	text := fmt.Sprintf("%s\ncursor %s\nsent %d\n", stateHead, f.cursor, f.sent)
	text += fmt.Sprintf("crc32c %08x\n", crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)))
	if err := safefile.Write(filepath.Join(dir, "cursor"), []byte(text), 0o640); err != nil {
		return fmt.Errorf("store/elastic: writing its cursor: %w", err)
	}
	return nil
}

func readState(dir string) (f stateFile, err error) {
	path := filepath.Join(dir, "cursor")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("store/elastic: reading its cursor: %w", err)
	}
	body, sum, _ := strings.Cut(string(data), "crc32c ")
	lines := strings.Split(body, "\n")
	if sum == fmt.Sprintf("%08x\n", crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli))) &&
		len(lines) == 4 && lines[0] == stateHead {
		cursor, ok := strings.CutPrefix(lines[1], "cursor ")
		sent, ok2 := strings.CutPrefix(lines[2], "sent ")
		c, err := spool.ParseCursor(cursor)
		n, err2 := strconv.ParseUint(sent, 10, 64)
		if ok && ok2 && err == nil && err2 == nil {
			return stateFile{c, n}, nil
		}
	}
	return f, fmt.Errorf("store/elastic: %s is damaged: restore it from a backup, or remove it together with "+
		"the data streams to index the spool anew", path)
}

// restored is how many records after a restored cursor are looked up: as many may have been indexed since the backup.
const restored = 1 << 20

// Rename makes the cursor in dir, which no process has open, one of another incarnation of the same records, after a
// restore. The cluster may have what came after the backup, and senders may send it again: it is looked up. A directory
// without a cursor is left alone; a cursor of a third incarnation is an error.
func Rename(dir string, from, to spool.Incarnation) error {
	f, err := readState(dir)
	if err != nil || f.cursor.IsZero() {
		return err
	}
	if f.cursor, err = f.cursor.Rename(from, to); err != nil {
		return fmt.Errorf("store/elastic: %w", err)
	}
	f.sent = max(f.sent, f.cursor.Seq(0)+restored)
	return f.write(dir)
}
