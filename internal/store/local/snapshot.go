// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/haidang-soc/haidang/internal/spool"
)

// Snapshot syncs and puts hard links to everything that is on the disk then into the folder to, which it makes (copies,
// where that is another file system): opened as a store it has the rows up to the cursor that is returned, and no
// others. Append waits meanwhile; queries do not.
func (s *Store) Snapshot(ctx context.Context, to string) (spool.Cursor, error) {
	s.appending.Lock()
	defer s.appending.Unlock()
	at, err := s.sync(ctx)
	if err != nil {
		return at, err
	}
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return at, errClosed
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		return at, fmt.Errorf("store/local: snapshot: %w", err)
	}
	if err := link(filepath.Join(s.cfg.Dir, "cursor"), filepath.Join(to, "cursor")); err != nil &&
		!errors.Is(err, fs.ErrNotExist) {
		return at, fmt.Errorf("store/local: snapshot: %w", err)
	}
	for _, c := range s.classes {
		if c.st == nil {
			continue
		}
		if err := c.snapshot(filepath.Join(to, filepath.Base(c.path))); err != nil {
			return at, fmt.Errorf("store/local: snapshot of %s: %w", c.path, err)
		}
	}
	return at, nil
}

// snapshot links the parts of every day.
func (c *class) snapshot(to string) (err error) {
	for _, path := range c.st.PartitionSnapshotMustCreate("") {
		dayDir := filepath.Dir(filepath.Dir(path)) // <day>/snapshots/<name>
		err = errors.Join(err, linkTree(path, filepath.Join(to, "partitions", filepath.Base(dayDir))),
			c.st.PartitionSnapshotDelete(path))
	}
	return err
}

func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o750)
		}
		return link(path, filepath.Join(to, rel))
	})
}

// link links, or copies where from and to are on different file systems.
func link(from, to string) error {
	err := os.Link(from, to)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// Rename makes the cursor of the store in dir, which no process has open, one of another incarnation of the same
// records. A store without a cursor, or with one of a third incarnation, is left alone; the latter is an error.
func Rename(dir string, from, to spool.Incarnation) error {
	f, err := readCursorFile(dir)
	if err != nil || f.cursor.IsZero() {
		return err
	}
	if f.cursor, err = f.cursor.Rename(from, to); err != nil {
		return fmt.Errorf("store/local: %w", err)
	}
	return f.write(dir)
}

// Inspect reads the small files of a store in dir that no process has open, and looks whether the parts that a day's
// list names are there with all their files. It changes nothing, and tells each finding.
func Inspect(dir string, found func(path, what string)) error {
	if _, err := readCursorFile(dir); err != nil {
		found(filepath.Join(dir, "cursor"), "its checksum does not hold")
	}
	lists, err := filepath.Glob(filepath.Join(dir, "r*", "partitions", "*", "*", "parts.json"))
	if err != nil {
		return err
	}
	for _, list := range lists {
		if err := inspectParts(list, found); err != nil {
			return err
		}
	}
	days, err := filepath.Glob(filepath.Join(dir, "r*", "partitions", "*"))
	for _, day := range days {
		for _, sub := range []string{"indexdb", "datadb"} {
			if _, err := os.Stat(filepath.Join(day, sub, "parts.json")); err != nil {
				found(filepath.Join(day, sub, "parts.json"), "it is missing")
			}
		}
	}
	return err
}

// inspectParts looks for the files of the parts that a list names.
func inspectParts(list string, found func(path, what string)) error {
	data, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		found(list, "it is no list of parts")
		return nil
	}
	files := []string{"metaindex.bin", "index.bin", "items.bin", "lens.bin"}
	if filepath.Base(filepath.Dir(list)) == "datadb" {
		files = []string{"metaindex.bin", "index.bin", "timestamps.bin", "columns_header.bin", "message_values.bin"}
	}
	for _, name := range names {
		part := filepath.Join(filepath.Dir(list), name)
		var size struct{ CompressedSizeBytes int64 }
		meta, err := os.ReadFile(filepath.Join(part, "metadata.json"))
		if err != nil || json.Unmarshal(meta, &size) != nil {
			found(filepath.Join(part, "metadata.json"), "it is missing or unreadable")
			continue
		}
		for _, f := range files {
			if _, err := os.Stat(filepath.Join(part, f)); err != nil {
				found(filepath.Join(part, f), "it is missing")
			}
		}
		if have := bytesIn(part); have < size.CompressedSizeBytes {
			found(part, fmt.Sprintf("it has %d bytes of %d", have, size.CompressedSizeBytes))
		}
	}
	return nil
}

// bytesIn adds up the files of a folder.
func bytesIn(dir string) (n int64) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !e.IsDir() {
			n += info.Size()
		}
	}
	return n
}
