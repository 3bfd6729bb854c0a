// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/haidang-soc/haidang/internal/safefile"
)

// OpenFunc opens a file of an image at an offset. The reader must yield the rest of the file, to its size.
type OpenFunc func(ctx context.Context, f File, offset int64) (io.ReadCloser, error)

// CopyConfig says what is copied, and where to.
type CopyConfig struct {
	Image    *Image
	Open     OpenFunc
	To       string // a folder; made if missing
	Progress Progress
}

// partialHead is the first line of the list of what is finished.
type partialHead struct {
	Image       string `json:"image"`
	Incarnation string `json:"incarnation"`
}

// Unfinished returns the id of the image that a copy in the folder was begun from, empty when there is none. A folder
// that holds a finished backup, or something else, is an error.
func Unfinished(to string) (image string, err error) {
	if _, err := os.Stat(filepath.Join(to, manifestName)); err == nil {
		return "", fmt.Errorf("backup: %s holds a finished backup: name another folder", to)
	}
	head, _, err := readPartial(to)
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(to)
		if err == nil && len(entries) > 0 {
			return "", fmt.Errorf("backup: %s is not empty and holds no backup that was cut off: name another folder", to)
		}
		return "", nil
	}
	return head.Image, err
}

// Copy copies an image into a folder. What an earlier call finished there is kept if it is the same, by path, size and
// time of the last change: so it goes on where it was cut off. It returns when everything is on the disk.
func Copy(ctx context.Context, c CopyConfig) (*Manifest, error) {
	if err := local(c.Image.Files); err != nil {
		return nil, err
	}
	if _, err := Unfinished(c.To); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(c.To, dataName), 0o700); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	head, finished, err := readPartial(c.To)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil && head.Incarnation != c.Image.Incarnation {
		return nil, fmt.Errorf("backup: %s was begun from another server (spool %q, this one is %q): name another folder",
			c.To, head.Incarnation, c.Image.Incarnation)
	}
	log, err := newPartial(c, finished)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer log.Close()
	m := &Manifest{Format, *c.Image}
	m.Files = nil
	var done int64
	total := c.Image.Bytes()
	for _, f := range c.Image.Files {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("backup: cut off at %d of %d bytes: run it again to go on: %w", done, total, err)
		}
		if sum, ok := finished[key(f)]; ok {
			f.SHA256 = sum
		} else {
			again := c
			again.Progress = func(n, _ int64) { tell(c.Progress, done+n, total) }
			if f.SHA256, err = again.file(ctx, f, head.Image == c.Image.ID); err != nil {
				return nil, fmt.Errorf("backup: %s: %w: run it again to go on", f.Path, err)
			}
			if err := appendLine(log, f); err != nil {
				return nil, fmt.Errorf("backup: %w", err)
			}
		}
		m.Files = append(m.Files, f)
		done += f.Size
		tell(c.Progress, done, total)
	}
	return m, c.finish(m)
}

// file copies one file. Where begun is true and the first bytes are there already, it goes on behind them.
func (c *CopyConfig) file(ctx context.Context, f File, begun bool) (sum string, err error) {
	path := filepath.Join(c.To, dataName, filepath.FromSlash(f.Path))
	h := sha256.New()
	var offset int64
	if begun {
		offset = hashHead(path, h, f.Size)
	}
	in, err := c.Open(ctx, f, offset)
	if err != nil {
		return "", err
	}
	defer in.Close()
	r := &counted{r: io.LimitReader(in, f.Size-offset), h: h, n: offset,
		tell: func(n int64) { tell(c.Progress, n, f.Size) }}
	if err := writeFile(path, r, offset); err != nil {
		return "", err
	}
	if r.n != f.Size {
		return "", fmt.Errorf("it ended after %d of %d bytes", r.n, f.Size)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashHead adds what is there of a file to h and returns how much that is; more than it should be counts as nothing.
func hashHead(path string, h hash.Hash, size int64) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > size {
		return 0
	}
	n, err := io.Copy(h, f)
	if err != nil {
		h.Reset()
		return 0
	}
	return n
}

// counted hashes and counts what is read.
type counted struct {
	r    io.Reader
	h    hash.Hash
	n    int64
	tell func(int64)
}

// Read reads on.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}

// finish removes what belongs to no file of the manifest, then writes the manifest.
func (c *CopyConfig) finish(m *Manifest) error {
	known := map[string]bool{}
	for _, f := range m.Files {
		known[f.Path] = true
	}
	data := filepath.Join(c.To, dataName)
	have, err := List(data, nil)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	for _, f := range have {
		if !known[f.Path] {
			if err := os.Remove(filepath.Join(data, filepath.FromSlash(f.Path))); err != nil {
				return fmt.Errorf("backup: %w", err)
			}
		}
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := writeFile(filepath.Join(c.To, sumName), bytes.NewReader([]byte(sumLine(text))), 0); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := safefile.Write(filepath.Join(c.To, manifestName), text, 0o600); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.Remove(filepath.Join(c.To, partialName)); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return safefile.SyncDir(c.To)
}

func key(f File) File { f.SHA256 = ""; return f }

// readPartial reads the list of what is finished. A last line that was cut short is passed over.
func readPartial(dir string) (head partialHead, finished map[File]string, err error) {
	data, err := os.ReadFile(filepath.Join(dir, partialName))
	if err != nil {
		return head, nil, err
	}
	finished = map[File]string{}
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if json.Unmarshal(first, &head) != nil {
		return head, finished, nil
	}
	for line := range bytes.Lines(rest) {
		var f File
		if json.Unmarshal(line, &f) == nil && f.SHA256 != "" {
			finished[key(f)] = f.SHA256
		}
	}
	return head, finished, nil
}

// newPartial begins the list anew with what is finished of the files of this image.
func newPartial(c CopyConfig, finished map[File]string) (*os.File, error) {
	path := filepath.Join(c.To, partialName)
	f, err := os.OpenFile(path+safefile.Suffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	err = appendLine(f, partialHead{c.Image.ID, c.Image.Incarnation})
	for _, x := range c.Image.Files {
		if sum, ok := finished[key(x)]; ok && err == nil {
			x.SHA256 = sum
			err = appendLine(f, x)
		}
	}
	if err == nil {
		err = errors.Join(f.Sync(), os.Rename(path+safefile.Suffix, path))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func appendLine(f *os.File, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
	}
	return err
}
