// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrNoImage means that there is no image of that id: it was dropped, or never made.
var ErrNoImage = errors.New("backup: there is no such image")

// keepImages is how many images are kept for copies that were cut off; each takes what has changed since.
const keepImages = 2

// Images are the images that a running server holds still, each a folder in Dir. Safe for concurrent use.
type Images struct {
	Dir string
	// Take puts a consistent copy of the data directory into a folder, with hard links where it can, and fills in what
	// the image says of itself.
	Take func(ctx context.Context, dir string, m *Image) error

	mu sync.Mutex
}

// Make returns the image of that id, or makes a new one where there is none; the oldest beyond keepImages are dropped.
func (x *Images) Make(ctx context.Context, id string) (*Image, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if id != "" {
		if m, err := x.image(id); err == nil {
			return m, nil
		}
	}
	if err := os.MkdirAll(x.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if err := x.sweep(keepImages - 1); err != nil {
		return nil, fmt.Errorf("backup: removing older images: %w", err)
	}
	now := time.Now().UTC()
	m := &Image{ID: now.Format("20060102T150405.000000000"), Made: now}
	dir := filepath.Join(x.Dir, m.ID)
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = x.Take(ctx, dir, m)
	}
	if err == nil {
		m.Files, err = List(dir, nil)
	}
	var data []byte
	if err == nil {
		data, err = json.Marshal(m)
	}
	if err == nil {
		err = os.WriteFile(dir+".json", data, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("backup: making an image: %w", err), os.RemoveAll(dir))
	}
	return m, nil
}

// Open opens a file of an image; the caller closes it.
func (x *Images) Open(id, path string) (*os.File, error) {
	if !filepath.IsLocal(filepath.FromSlash(path)) {
		return nil, ErrNoImage
	}
	if _, err := x.image(id); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(x.Dir, id, filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoImage
	}
	return f, err
}

// Drop removes an image.
func (x *Images) Drop(id string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, err := x.image(id); err != nil {
		return err
	}
	return x.remove(id)
}

func (x *Images) remove(id string) error {
	return errors.Join(os.Remove(filepath.Join(x.Dir, id+".json")), os.RemoveAll(filepath.Join(x.Dir, id)))
}

// image reads what is known of an image.
func (x *Images) image(id string) (*Image, error) {
	if id == "" || strings.Trim(id, "0123456789T.") != "" || strings.Contains(id, "..") {
		return nil, ErrNoImage
	}
	data, err := os.ReadFile(filepath.Join(x.Dir, id+".json"))
	if err != nil {
		return nil, ErrNoImage
	}
	m := new(Image)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, ErrNoImage
	}
	return m, nil
}

// sweep removes what is unfinished and all but the newest images.
func (x *Images) sweep(keep int) error {
	entries, err := os.ReadDir(x.Dir)
	if err != nil {
		return err
	}
	var ids []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if _, err := x.image(e.Name()); err == nil {
			ids = append(ids, e.Name())
		} else if err := os.RemoveAll(filepath.Join(x.Dir, e.Name())); err != nil {
			return err
		}
	}
	slices.Sort(ids)
	for _, id := range ids[:max(0, len(ids)-keep)] {
		if err := x.remove(id); err != nil {
			return err
		}
	}
	return nil
}
