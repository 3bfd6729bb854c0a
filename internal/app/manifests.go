// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// manifestFile is the chain of the manifests of closed days, in the data directory.
const manifestFile = "manifests.ndjson"

// closeAfter is how long after its end a day is closed: what comes later than that is found as an addition.
const closeAfter = 24 * time.Hour

// DayManifest is a line of the chain: what the index held of a day and a class when the day was closed.
type DayManifest struct {
	Day    string    `json:"day"`   // of the events' times, UTC
	Class  int       `json:"class"` // days that it is kept
	Count  uint64    `json:"count"`
	Sum    string    `json:"sum"` // XOR of the SHA-256 of each event: id, then its document
	IDs    string    `json:"ids"` // SHA-256 over the ids, newest first, those of one time by falling id
	Closed time.Time `json:"closed"`
	Prev   string    `json:"prev"` // SHA-256 of the line before, empty in the first
}

// same reports whether both say the same of the events.
func (m *DayManifest) same(o *DayManifest) bool {
	return m.Count == o.Count && m.Sum == o.Sum && m.IDs == o.IDs
}

// dayManifest computes what the index holds of a day and a class now.
func dayManifest(ctx context.Context, s *local.Store, class int, date time.Time) (*DayManifest, error) {
	m := &DayManifest{Day: date.Format(time.DateOnly), Class: class}
	var sum [sha256.Size]byte
	var doc []byte
	ids := sha256.New()
	err := s.Day(ctx, class, date, func(e event.Event) bool {
		id := e.ID()
		ids.Write(id[:])
		doc = event.AppendJSON(append(doc[:0], id[:]...), e, true)
		one := sha256.Sum256(doc)
		for i := range sum {
			sum[i] ^= one[i]
		}
		m.Count++
		return true
	})
	m.Sum, m.IDs = hex.EncodeToString(sum[:]), hex.EncodeToString(ids.Sum(nil))
	return m, err
}

// readManifests reads the chain and checks it; a last line without its end is left out. The error names the first line
// that does not follow from the one before.
func readManifests(path string) (list []DayManifest, last string, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	for n := 1; ; n++ {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return list, last, nil
		}
		var m DayManifest
		if err := json.Unmarshal(line, &m); err != nil {
			return list, last, fmt.Errorf("line %d: %w", n, err)
		}
		if m.Prev != last {
			return list, last, fmt.Errorf("line %d: the chain is broken: a line was changed, added or taken out before it", n)
		}
		sum := sha256.Sum256(line)
		last = hex.EncodeToString(sum[:])
		list, data = append(list, m), rest
	}
}

// closeDays adds the manifests of the days that ended closeAfter ago and have none yet.
func (a *App) closeDays(ctx context.Context, now time.Time) error {
	if a.store == nil {
		return nil
	}
	a.closing.Lock()
	defer a.closing.Unlock()
	path := filepath.Join(a.cfg.Data, manifestFile)
	list, last, err := readManifests(path)
	if err != nil {
		return fmt.Errorf("manifests: %s: %w; move it away to begin another chain, and keep it", path, err)
	}
	have := map[string]bool{}
	for _, m := range list {
		have[fmt.Sprint(m.Day, m.Class)] = true
	}
	usage, err := a.store.Usage()
	if err != nil {
		return fmt.Errorf("manifests: %w", err)
	}
	type dayClass struct {
		day   time.Time
		class int
	}
	var todo []dayClass
	for _, u := range usage {
		for day := range u.Bytes {
			if now.Sub(day) >= 24*time.Hour+closeAfter && !have[fmt.Sprint(day.Format(time.DateOnly), u.Class)] {
				todo = append(todo, dayClass{day, u.Class})
			}
		}
	}
	slices.SortFunc(todo, func(x, y dayClass) int {
		return cmp.Or(x.day.Compare(y.day), cmp.Compare(x.class, y.class))
	})
	for _, x := range todo {
		m, err := dayManifest(ctx, a.store, x.class, x.day)
		if err != nil {
			return fmt.Errorf("manifests: %s, class %d: %w", m.Day, m.Class, err)
		}
		m.Closed, m.Prev = now.UTC(), last
		if last, err = appendManifest(path, m); err != nil {
			return fmt.Errorf("manifests: %w", err)
		}
	}
	return nil
}

// appendManifest adds a line, after it has cut off one without its end, and returns its hash.
func appendManifest(path string, m *DayManifest) (string, error) {
	line, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err == nil {
		whole := int64(bytes.LastIndexByte(data, '\n') + 1)
		err = f.Truncate(whole)
		if err == nil {
			_, err = f.WriteAt(append(line, '\n'), whole)
		}
	}
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:]), errors.Join(err, f.Sync(), f.Close())
}

// VerifyDay computes the manifests of a day anew and compares them with the chain. The lines say what differs; none
// means that nothing was changed, added or taken out since the day was closed.
func (a *App) verifyDay(ctx context.Context, date string) (checked []DayManifest, differ []string, err error) {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return nil, nil, fmt.Errorf("day %.40q: want the form 2026-11-29", date)
	}
	if a.store == nil {
		return nil, nil, errDown
	}
	list, _, err := readManifests(filepath.Join(a.cfg.Data, manifestFile))
	if err != nil {
		differ = append(differ, "the chain of manifests: "+err.Error())
	}
	for _, m := range list {
		if m.Day != date {
			continue
		}
		day, err := time.Parse(time.DateOnly, m.Day)
		if err != nil {
			return checked, differ, err
		}
		now, err := dayManifest(ctx, a.store, m.Class, day)
		if err != nil {
			return checked, differ, err
		}
		checked = append(checked, m)
		switch {
		case m.same(now):
		case now.Count != m.Count:
			differ = append(differ, fmt.Sprintf("class %d: %d events, %d when the day was closed", m.Class, now.Count, m.Count))
		case now.IDs != m.IDs:
			differ = append(differ, fmt.Sprintf("class %d: as many events (%d), but not the same ones", m.Class, m.Count))
		default:
			differ = append(differ, fmt.Sprintf("class %d: the same %d events, but what they say was changed", m.Class, m.Count))
		}
	}
	return checked, differ, nil
}

// manifests follows the chain of a data directory that no server uses.
func (x *inspector) manifests() error {
	path := filepath.Join(x.dir, manifestFile)
	list, _, err := readManifests(path)
	var real *fs.PathError
	if errors.As(err, &real) {
		return err
	}
	if err != nil {
		x.found(path, err.Error(), "keep the file for who investigates and move it away: the server begins another chain")
	}
	x.counted("manifests    %d days and classes in the chain", len(list))
	return nil
}
