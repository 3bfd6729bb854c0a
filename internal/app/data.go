// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/haidang-soc/haidang/internal/safefile"
)

// format is the version of the data directory's layout.
const format = "1"

// openData makes the data directory, takes its lock and checks that this program can read it.
func openData(dir string) (*os.File, error) {
	for _, d := range []string{dir, filepath.Join(dir, "listeners"), filepath.Join(dir, "outbox"),
		filepath.Join(dir, "correlator"), filepath.Join(dir, "ledger")} {
		if err := os.MkdirAll(d, 0o750); err != nil {
			return nil, fmt.Errorf("data directory: %w", err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("data directory: %s is in use by another haidang: stop it, or set data: to another folder",
			dir)
	}
	path := filepath.Join(dir, "version")
	data, err := os.ReadFile(path)
	switch have := strings.TrimSpace(string(data)); {
	case errors.Is(err, fs.ErrNotExist), err == nil && have == "": // a power failure can leave it empty
		err = safefile.Write(path, []byte(format+"\n"), 0o600)
	case err == nil:
		err = checkFormat(dir, have)
	}
	if _, e := os.Stat(filepath.Join(dir, restoringFile)); e == nil && err == nil {
		err = fmt.Errorf("data directory: a restore into %s was cut off: remove what is in it, and restore again", dir)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// checkFormat refuses a data directory of another format.
func checkFormat(dir, have string) error {
	if have != format {
		return fmt.Errorf("data directory: %s has format %q, this program reads %s: use the program that wrote it",
			dir, have, format)
	}
	return nil
}
