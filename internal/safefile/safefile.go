// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package safefile replaces small files so that a crash or a power failure leaves the old content or the new one.
//
// The new content is written beside the file, under its name with [Suffix], synced, and renamed; then the folder is
// synced. One writer of a file at a time: two of them would share the file beside it. Whoever lists a folder passes
// over names with the suffix, which a crash leaves behind and the next Write takes.
package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Suffix ends the name of a file that is being written.
const Suffix = ".new"

// Write replaces the file at path, or makes it with the mode, before the process's mask. It returns once the content
// is on the disk. After an error the file is the old one, unless only the folder could not be synced: then it is the
// new one, until a power failure decides.
func Write(path string, data []byte, mode fs.FileMode) error {
	next := path + Suffix
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return SyncDir(filepath.Dir(path))
}

// Rename puts a file that is written and synced in the place of another one of the same file system, and returns once
// that is on the disk.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// SyncDir makes what was made, renamed and removed in a folder last. Where the system or the file system does not sync
// folders, it does nothing.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) {
		err = nil // Windows answers permission denied, some network file systems EINVAL
	}
	return errors.Join(err, d.Close())
}
