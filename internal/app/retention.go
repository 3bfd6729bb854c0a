// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/haidang-soc/haidang/dashboards/console/api"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// sourceStorage is the source of the daily events that say how long the disk will do.
const sourceStorage = "storage"

// fits is the number of days that stands for ever: every class reaches its retention before the disk is full.
const fits = 3650

// retention tells how the classes fill the disk.
func (a *App) retention() (*api.Retention, error) {
	if a.store == nil {
		return nil, errDown
	}
	usage, err := a.store.Usage()
	if err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(a.cfg.StoreDir(), &fs); err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	reserve := a.cfg.Spool.Reserve
	if reserve == 0 {
		reserve = max(1<<30, int64(fs.Blocks)*fs.Bsize/20)
	}
	return forecast(usage, max(int64(fs.Bavail)*fs.Bsize-max(reserve, 0), 0), time.Now()), nil
}

// forecast fills the free bytes day by day at the week's rate of each class, which lets go of what is older than it
// keeps, until they are used up.
func forecast(usage []local.Usage, free int64, now time.Time) *api.Retention {
	r := &api.Retention{Free: free, Classes: []api.RetentionClass{}}
	today := now.UTC().Truncate(24 * time.Hour)
	for _, u := range usage {
		c := api.RetentionClass{Class: u.Class, PerDay: weekRate(u.Bytes, today)}
		oldest := today
		for day, n := range u.Bytes {
			c.Bytes += n
			if day.Before(oldest) {
				oldest = day
			}
		}
		c.Oldest = oldest.Format(time.DateOnly)
		r.Classes = append(r.Classes, c)
	}
	left := fits
	for n := 1; n < fits; n++ {
		for i, u := range usage {
			free -= r.Classes[i].PerDay
			gone := today.AddDate(0, 0, n-1-u.Class)
			if old, ok := u.Bytes[gone]; ok {
				free += old
			} else if n > u.Class { // a day of this forecast
				free += r.Classes[i].PerDay
			}
		}
		if free < 0 {
			left = n - 1
			break
		}
	}
	for i := range r.Classes {
		r.Classes[i].DaysLeft, r.Classes[i].Fits = left, left >= fits
		if r.Classes[i].PerDay == 0 {
			r.Classes[i].DaysLeft, r.Classes[i].Fits = fits, true
		}
	}
	return r
}

// weekRate is what a class took a day, over the last seven days that are over; of a class that is younger over those it
// has, and of one that began today what it has.
func weekRate(days map[time.Time]int64, today time.Time) int64 {
	sum, first := int64(0), today
	for day, n := range days {
		if age := int(today.Sub(day) / (24 * time.Hour)); age >= 1 && age <= 7 {
			sum += n
			if day.Before(first) {
				first = day
			}
		}
	}
	if span := int64(today.Sub(first) / (24 * time.Hour)); span > 0 {
		return sum / span
	}
	return days[today]
}

// daily does what is due once a day, at the start and then after each midnight UTC: it closes days, and puts into the
// stream how long the disk will do, so that a rule tells people.
func (a *App) daily(ctx context.Context) error {
	for {
		now := time.Now()
		if err := a.closeDays(ctx, now); err != nil && ctx.Err() == nil {
			a.log.Error("the manifests of closed days could not be written", "error", err)
		}
		if err := a.tellRetention(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("how long the disk will do could not be told", "error", err)
		}
		next := now.UTC().Truncate(24 * time.Hour).Add(24*time.Hour + 10*time.Minute)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(next.Sub(now)):
		}
	}
}

// tellRetention writes an event for each class that the disk will not hold whole.
func (a *App) tellRetention(ctx context.Context) error {
	if a.store == nil {
		return nil
	}
	r, err := a.retention()
	if err != nil {
		return err
	}
	epoch := uint64(time.Now().UnixNano())
	if known, ok := a.spool.Known(sourceStorage); ok {
		epoch = max(epoch, known.Epoch+1)
	}
	b := event.NewBuilder(sourceStorage, epoch)
	for _, c := range r.Classes {
		if c.Fits {
			continue
		}
		n := uint64(b.Len())
		b.Begin(n, 0)
		now := a.wall()
		b.Time(event.Timestamp, now)
		b.Time(event.EventCreated, now)
		b.Str(event.EventKind, "metric")
		b.Str(event.EventDataset, "haidang.storage")
		b.Int(event.HaidangStorageClass, int64(c.Class))
		b.Int(event.HaidangStorageDaysLeft, int64(c.DaysLeft))
		b.Str(event.Message, fmt.Sprintf("Kho lưu %d ngày: đĩa còn đủ cho %d ngày ở mức ghi của tuần qua", c.Class,
			c.DaysLeft))
		a.ofSOC(b)
		b.End()
	}
	if b.Len() == 0 {
		return nil
	}
	batch := b.Batch(0, uint64(b.Len()))
	return a.insist(ctx, "the spool", func() error { return a.spool.Write(ctx, batch) })
}

// dayVerification answers haidang verify --events.
func (a *App) dayVerification(ctx context.Context, date string) (*api.DayVerification, error) {
	checked, differ, err := a.verifyDay(ctx, date)
	if err != nil {
		return nil, err
	}
	v := &api.DayVerification{Day: date, Differences: append([]string{}, differ...), File: filepath.Base(manifestFile)}
	for _, m := range checked {
		v.Classes = append(v.Classes, m.Class)
		v.Events += m.Count
	}
	return v, nil
}
