// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Link makes to the same file as from, or a copy where the file system has no such thing. It is for files that are
// never changed, only replaced or removed.
func Link(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return err
	}
	return CopyFile(from, to)
}

// CopyFile copies what a file holds now, and its time. It is for files that grow.
func CopyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := writeFile(to, in, 0); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// Tree puts the files under from into the folder to: a copy of each that grows, a link to the others. What disappears
// meanwhile is left out; a folder that is not there is empty.
func Tree(from, to string, grows func(path string) bool) error {
	files, err := List(from, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		put := Link
		if grows(f.Path) {
			put = CopyFile
		}
		err := put(filepath.Join(from, filepath.FromSlash(f.Path)), filepath.Join(to, filepath.FromSlash(f.Path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
