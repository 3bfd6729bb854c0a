// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// Usage is what a retention class takes on the disk.
type Usage struct {
	Class int                 // days that it keeps
	Bytes map[time.Time]int64 // by day of the events, UTC
}

// Usage adds up the files of every class that has any.
func (s *Store) Usage() (list []Usage, err error) {
	s.flush()
	for _, c := range s.open() {
		days, err := os.ReadDir(filepath.Join(c.path, "partitions"))
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		u := Usage{c.days, map[time.Time]int64{}}
		for _, d := range days {
			t, err := time.Parse("20060102", d.Name())
			if err != nil {
				continue
			}
			_ = filepath.WalkDir(filepath.Join(c.path, "partitions", d.Name()),
				func(_ string, f fs.DirEntry, err error) error {
					if err == nil && f.Type().IsRegular() {
						if info, err := f.Info(); err == nil { // else it was merged away meanwhile
							u.Bytes[t] += info.Size()
						}
					}
					return nil
				})
		}
		list = append(list, u)
	}
	return list, nil
}

// Day calls fn for every event of the class of so many days whose time is within the day (UTC), newest first, until it
// returns false. An event is valid until fn returns. Close waits for it: ctx should end with the server.
func (s *Store) Day(ctx context.Context, days int, date time.Time, fn func(event.Event) bool) error {
	s.flush()
	for _, c := range s.open() {
		if c.days != days {
			continue
		}
		if !s.hold() {
			return errClosed
		}
		defer s.life.RUnlock()
		one := &Store{cfg: s.cfg, classes: []*class{c}, enc: newEncoder()}
		from := date.UTC().Truncate(24 * time.Hour).UnixNano()
		return one.scan(ctx, scanRange{from: from, to: from + day, filter: everything}, fn)
	}
	return nil
}
