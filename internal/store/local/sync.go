// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"

	"github.com/haidang-soc/haidang/internal/safefile"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Sync makes everything appended durable and returns the cursor behind it. Append waits meanwhile. When ctx ends it
// first, nothing is lost: the cursor stays where it was. So it does with ErrFull, when less than half of the reserve is
// free: what is in memory would not fit.
func (s *Store) Sync(ctx context.Context) (spool.Cursor, error) {
	s.appending.Lock()
	defer s.appending.Unlock()
	return s.sync(ctx)
}

// sync is Sync for who holds appending.
func (s *Store) sync(ctx context.Context) (spool.Cursor, error) {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return spool.Cursor{}, errClosed
	}
	if err := s.room(0.5); err != nil {
		return s.saved.cursor, err
	}
	s.flush()
	for _, c := range s.classes {
		if err := c.barrier(ctx); err != nil {
			return s.saved.cursor, err
		}
	}
	next := cursorFile{cursor: s.cursor}
	if err := next.write(s.cfg.Dir); err != nil {
		return s.saved.cursor, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = next
	for _, c := range s.classes {
		clear(c.touched)
	}
	if len(s.have) > 0 {
		bound := (s.cursor.Seq(0) + 1) << posBits
		maps.DeleteFunc(s.have, func(pos uint64, _ struct{}) bool { return pos < bound })
	}
	return s.cursor, nil
}

// room returns ErrFull when less than the given share of the reserve is free. Append asks for all of it, Sync for half:
// the rest is for what Append has taken.
func (s *Store) room(share float64) error {
	if s.cfg.Reserve < 0 {
		return nil
	}
	free, err := freeSpace(s.cfg.Dir)
	if err != nil {
		return fmt.Errorf("store/local: reading free space: %w", err)
	}
	if float64(free) < share*float64(s.cfg.Reserve) {
		return ErrFull
	}
	return nil
}

// flush makes all rows visible to queries.
func (s *Store) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty {
		return
	}
	for _, c := range s.classes {
		if c.st == nil {
			continue
		}
		for _, p := range c.rows {
			s.hand(c, p)
		}
		clear(c.rows)
		c.st.DebugFlush()
	}
	s.dirty = false
}

// barrier returns once no row of the class is in memory only. A snapshot of a day writes its rows to files and syncs
// them, except those that a merge in the background holds: then it is taken again.
func (c *class) barrier(ctx context.Context) error {
	if c.st == nil || len(c.touched) == 0 {
		return nil
	}
	for {
		for d := range c.touched {
			for _, path := range c.st.PartitionSnapshotMustCreate(dayName(d)) {
				if err := c.st.PartitionSnapshotDelete(path); err != nil {
					return fmt.Errorf("store/local: syncing %s: %w", c.path, err)
				}
			}
		}
		var st logstorage.StorageStats
		c.st.UpdateStats(&st)
		if st.InmemoryRowsCount == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("store/local: syncing %s: %w", c.path, ctx.Err())
		case <-time.After(5 * time.Millisecond): // for the merge
		}
	}
}

func dayName(d int64) string { return time.Unix(0, d*day).UTC().Format("20060102") }

// touch notes, on disk and before the first row, that a day of a class has rows above the last Sync: recovery reads
// those days only. s.mu is held.
func (s *Store) touch(c *class, d int64) error {
	if _, ok := c.touched[d]; ok {
		return nil
	}
	if c.st == nil {
		c.open()
	}
	next := s.saved
	next.touched = append(slices.Clone(next.touched), touchedDay{c.days, d})
	if err := next.write(s.cfg.Dir); err != nil {
		return err
	}
	s.saved = next
	c.touched[d] = struct{}{}
	return nil
}

// recover reads the positions of the rows above the last Sync.
func (s *Store) recover() error {
	bound := s.saved.cursor.Seq(0)
	for _, t := range s.saved.touched {
		i := slices.IndexFunc(s.classes, func(c *class) bool { return c.days == t.class })
		if i < 0 || s.classes[i].st == nil {
			continue
		}
		c := s.classes[i]
		c.touched[t.day] = struct{}{}
		// The library compares as floating-point numbers: the filter is a little wide, the exact one is below.
		low := strconv.FormatUint(bound<<posBits, 10)
		text := quote(colPos) + ":>=" + low + " | fields " + quote(colPos)
		err := c.run(context.Background(), text, t.day*day, t.day*day+day-1, func(db *logstorage.DataBlock) {
			col := db.GetColumnByName(colPos)
			if col == nil {
				return
			}
			for _, v := range col.Values {
				if pos, err := strconv.ParseUint(v, 10, 64); err == nil && pos>>posBits > bound {
					s.have[pos] = struct{}{}
				}
			}
		})
		if err != nil {
			return fmt.Errorf("store/local: reading what is stored: %w", err)
		}
	}
	return nil
}

// cursorFile is the file <dir>/cursor: the cursor of the last Sync, and the days that got rows since.
type cursorFile struct {
	cursor  spool.Cursor
	touched []touchedDay
}

type touchedDay struct {
	class int
	day   int64
}

const cursorHead = "haidang store/local cursor 1"

func (f cursorFile) write(dir string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\ncursor %s\n", cursorHead, f.cursor)
	for _, t := range f.touched {
		fmt.Fprintf(&b, "touched %d %d\n", t.class, t.day)
	}
	fmt.Fprintf(&b, "crc32c %08x\n", crc32.Checksum([]byte(b.String()), crc32.MakeTable(crc32.Castagnoli)))
	if err := safefile.Write(filepath.Join(dir, "cursor"), []byte(b.String()), 0o640); err != nil {
		return fmt.Errorf("store/local: writing its cursor: %w", err)
	}
	return nil
}

func readCursorFile(dir string) (cursorFile, error) {
	path := filepath.Join(dir, "cursor")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return cursorFile{}, nil
	}
	if err != nil {
		return cursorFile{}, fmt.Errorf("store/local: reading its cursor: %w", err)
	}
	damaged := fmt.Errorf("store/local: %s is damaged: restore it or the whole directory from a backup", path)
	body, sum, ok := strings.Cut(string(data), "crc32c ")
	want := fmt.Sprintf("%08x\n", crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli)))
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if !ok || sum != want || len(lines) < 2 || lines[0] != cursorHead {
		return cursorFile{}, damaged
	}
	var f cursorFile
	text, ok := strings.CutPrefix(lines[1], "cursor ")
	if !ok {
		return cursorFile{}, damaged
	}
	if f.cursor, err = spool.ParseCursor(text); err != nil {
		return cursorFile{}, damaged
	}
	for _, line := range lines[2:] {
		var t touchedDay
		if _, err := fmt.Sscanf(line, "touched %d %d", &t.class, &t.day); err != nil || t.day > math.MaxInt64/day {
			return cursorFile{}, damaged
		}
		f.touched = append(f.touched, t)
	}
	return f, nil
}
