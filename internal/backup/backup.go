// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package backup copies a data directory and brings it back: images that a running server holds still, copies of them
// that go on where they were cut off, and the check of every byte before it is believed.
//
// It knows files only. A copy is finished when its manifest is there, which is written last; until then it is no backup
// and nothing here takes it for one. Whoever adds to a manifest must keep the paths local: they come from outside.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Format is the version of a backup's layout.
const Format = 1

// The names within the folder of a backup.
const (
	manifestName = "manifest.json"
	sumName      = "manifest.sha256"
	partialName  = "partial.ndjson"
	dataName     = "data"
)

// File is one file of a data directory.
type File struct {
	Path   string `json:"path"` // relative, with slashes
	Size   int64  `json:"size"` // bytes
	Time   int64  `json:"time"` // of the last change, unix ns
	SHA256 string `json:"sha256,omitempty"`
}

// Image is a data directory at one moment: what a copy is made of.
type Image struct {
	ID          string    `json:"id"`
	Made        time.Time `json:"made"`
	Program     string    `json:"program"`     // version of it
	Data        string    `json:"data"`        // format of the data directory
	Incarnation string    `json:"incarnation"` // of the spool's stream
	Files       []File    `json:"files"`
}

// Bytes adds up the files.
func (m *Image) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// Manifest describes a finished backup.
type Manifest struct {
	Format int `json:"format"`
	Image
}

// Progress is told how far a copy is, in bytes; it must not block.
type Progress func(done, total int64)

// ErrChanged means that a file is not what the manifest says: the backup is damaged.
var ErrChanged = errors.New("its SHA-256 is not that of the manifest")

// List lists the files under dir that skip does not name, by path. Only regular files are part of a data directory.
func List(dir string, skip func(path string) bool) (list []File, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p != dir {
			return nil // it was removed meanwhile
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel != "." && skip != nil && skip(rel) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		list = append(list, File{Path: rel, Size: info.Size(), Time: info.ModTime().UnixNano()})
		return nil
	})
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return list, err
}

// Verify reads a finished backup to its end and compares it with its manifest. The error names what differs.
func Verify(ctx context.Context, dir string, progress Progress) (*Manifest, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	var done int64
	total := m.Bytes()
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sum, err := hashFile(filepath.Join(dir, dataName, filepath.FromSlash(f.Path)))
		if err != nil {
			return nil, fmt.Errorf("backup %s: %w: take another backup", dir, err)
		}
		if sum != f.SHA256 {
			return nil, fmt.Errorf("backup %s: %s: %w: take another backup", dir, f.Path, ErrChanged)
		}
		done += f.Size
		tell(progress, done, total)
	}
	return m, nil
}

// Extract copies the files of a verified backup into dir and returns when they are on the disk.
func Extract(ctx context.Context, from, dir string, progress Progress) error {
	m, err := readManifest(from)
	if err != nil {
		return err
	}
	var done int64
	total := m.Bytes()
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		in, err := os.Open(filepath.Join(from, dataName, filepath.FromSlash(f.Path)))
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		h := sha256.New()
		err = writeFile(filepath.Join(dir, filepath.FromSlash(f.Path)), io.TeeReader(in, h), 0)
		in.Close()
		if err != nil {
			return fmt.Errorf("restore: %s: %w", f.Path, err)
		}
		if hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
			return fmt.Errorf("restore: %s: %w: it changed while it was read", f.Path, ErrChanged)
		}
		done += f.Size
		tell(progress, done, total)
	}
	return nil
}

func tell(p Progress, done, total int64) {
	if p != nil {
		p(done, total)
	}
}

// readManifest reads the manifest of a finished backup.
func readManifest(dir string) (*Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, partialName)); err == nil {
			return nil, fmt.Errorf("backup %s: it was cut off: run haidang backup again with the same folder", dir)
		}
		return nil, fmt.Errorf("backup %s: there is no %s: it is no backup", dir, manifestName)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	sum, err := os.ReadFile(filepath.Join(dir, sumName))
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if string(sum) != sumLine(data) {
		return nil, fmt.Errorf("backup %s: %s is not what %s says: take another backup", dir, manifestName, sumName)
	}
	m := new(Manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("backup %s: reading %s: %w", dir, manifestName, err)
	}
	if m.Format != Format {
		return nil, fmt.Errorf("backup %s: it has format %d, this program reads %d: use the program that made it (%s)",
			dir, m.Format, Format, m.Program)
	}
	return m, local(m.Files)
}

// local refuses paths that lead out of the folder.
func local(files []File) error {
	for _, f := range files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) || f.Size < 0 {
			return fmt.Errorf("backup: the path %q does not belong into a data directory", f.Path)
		}
	}
	return nil
}

// sumLine is what sha256sum prints of the manifest, so that its -c verifies it.
func sumLine(manifest []byte) string {
	return fmt.Sprintf("%x  %s\n", sha256.Sum256(manifest), manifestName)
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeFile writes what r yields behind the first offset bytes of the file, cuts off what follows, and syncs.
func writeFile(path string, r io.Reader, offset int64) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = f.Truncate(offset)
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(f, r)
	}
	return errors.Join(err, f.Sync(), f.Close())
}
