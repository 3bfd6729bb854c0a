// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package local is the embedded index: store.Appender and store.Querier on VictoriaLogs' lib/logstorage, one storage
// for each retention class under <dir>/r<days>.
//
// The library has no unique key, keeps fresh rows in memory, has no call that makes them durable and drops rows it does
// not like without a word. So: every row carries its position in the spool; Sync is a barrier built of snapshots; after
// an unclean end Open reads which positions are there, and Append skips exactly those; and every row is checked here
// before the library sees it. A row is regular when its columns say all about the hot fields: only then may a filter be
// trusted to the library. The others are marked odd and always decoded and matched. Whoever adds a column must keep
// that.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/VictoriaLogs/lib/logstorage"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store"
)

var errClosed = errors.New("store/local: it is closed")

// ErrFull is the answer to Append when less than the reserve is free: the library ends the process on a full disk. The
// record may be given again when there is space.
var ErrFull = errors.New("store/local: the disk is full: free some space or lower the retention")

// never is an interval that does not end.
const never = 10 * 365 * 24 * time.Hour

// Config says where the store is and how long it keeps what.
type Config struct {
	Dir     string                // made if missing; one process at a time may have it open
	Classes []int                 // retention classes in days; nil: 30, 90, 180, 365, 730
	Class   func(event.Event) int // days an event must be kept, rounded up to a class; nil: 365
	Expired func(event.Event)     // told of every event that is not stored since its retention is over; may be nil
	Memory  int64                 // bytes of the library's caches, of all stores of this process; 0: a quarter of the RAM
	Reserve int64                 // bytes of the disk that stay free, half of them for Sync; 0: 1 GiB, negative: none
}

// Store is an open store. Append and Sync are for one goroutine, everything else is safe for concurrent use.
type Store struct {
	cfg  Config
	lock *os.File

	appending sync.Mutex // held by Append and Sync for as long as they take
	cursor    spool.Cursor
	have      map[uint64]struct{} // positions above the last Sync that are stored already
	enc       encoder

	life   sync.RWMutex // read-held while the library works for a query; written by Close
	closed bool

	mu      sync.Mutex
	classes []*class
	dirty   bool // rows were added since the last flush
	spare   []*pending
	waiting int // bytes in class.rows, as the library estimates them
	saved   cursorFile

	counts struct{ stored, skipped, expired, clamped, odd, cut atomic.Uint64 }
}

// Counts counts since Open.
type Counts struct {
	Stored  uint64 // rows added
	Skipped uint64 // rows that were there already after an unclean end
	Expired uint64 // rows not stored because their class's retention is over
	Clamped uint64 // rows whose time was missing or in the future, the claim kept in haidang.time_claimed
	Odd     uint64 // rows that filters cannot be trusted with, found by decoding
	Cut     uint64 // rows too large, some text cut
}

// class is one retention class; st is nil until it has a row.
type class struct {
	days    int
	path    string
	st      *logstorage.Storage
	rows    map[string]*pending // by event.dataset
	touched map[int64]struct{}  // touched since the last Sync
}

var _ store.Appender = (*Store)(nil)
var _ store.Querier = (*Store)(nil)

// Open opens or makes the store, and after an unclean end finds out what it holds above the last Sync.
func Open(cfg Config) (*Store, error) {
	if len(cfg.Classes) == 0 {
		cfg.Classes = []int{30, 90, 180, 365, 730}
	}
	cfg.Classes = slices.Sorted(slices.Values(cfg.Classes))
	if cfg.Class == nil {
		cfg.Class = func(event.Event) int { return 365 }
	}
	if cfg.Reserve == 0 {
		cfg.Reserve = 1 << 30
	}
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("store/local: making its directory: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, lock: lock, have: map[uint64]struct{}{}, enc: newEncoder()}
	if s.saved, err = readCursorFile(cfg.Dir); err != nil {
		lock.Close()
		return nil, err
	}
	s.cursor = s.saved.cursor
	startLibrary(cfg.Memory)
	for _, days := range cfg.Classes {
		c := &class{days: days, path: filepath.Join(cfg.Dir, "r"+strconv.Itoa(days)), touched: map[int64]struct{}{}}
		s.classes = append(s.classes, c)
		if _, err := os.Stat(c.path); err == nil {
			c.open()
		}
	}
	if err := s.recover(); err != nil {
		s.shut()
		return nil, err
	}
	return s, nil
}

func (c *class) open() {
	c.st = logstorage.MustOpenStorage(c.path, &logstorage.StorageConfig{
		Retention:       time.Duration(c.days) * 24 * time.Hour,
		FutureRetention: maxFuture + 24*time.Hour,
		FlushInterval:   never, // Sync makes rows durable, when there is room: the library ends the process otherwise
	})
	for _, path := range c.st.PartitionSnapshotList() { // of a barrier that was cut off
		_ = c.st.PartitionSnapshotDelete(path)
	}
	c.rows = map[string]*pending{}
}

// Counts returns the counts so far.
func (s *Store) Counts() Counts {
	n := &s.counts
	return Counts{Stored: n.stored.Load(), Skipped: n.skipped.Load(), Expired: n.expired.Load(),
		Clamped: n.clamped.Load(), Odd: n.odd.Load(), Cut: n.cut.Load()}
}

// Cursor returns where the last Sync, of this or an earlier process, ended: reading the spool goes on there.
func (s *Store) Cursor() spool.Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved.cursor
}

// Close syncs and closes. It waits for the library's part of running queries; they end with an error. On a full disk it
// leaves the library as it is, since that would end the process: what was not synced is in the spool.
func (s *Store) Close() error {
	_, err := s.Sync(context.Background())
	if errors.Is(err, errClosed) {
		return nil
	}
	s.appending.Lock()
	defer s.appending.Unlock()
	if errors.Is(err, ErrFull) {
		s.life.Lock()
		defer s.life.Unlock()
		s.closed = true
		return errors.Join(err, s.lock.Close())
	}
	s.shut()
	return err
}

func (s *Store) shut() {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for _, c := range s.classes {
		if c.st != nil {
			c.st.MustClose()
		}
	}
	s.lock.Close()
}
