// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// nextEpoch adds one to the bind counter in a file and returns it once it is on the disk. Without the file it starts
// at the time in seconds rather than at one, so that a state directory that was lost while the spool was kept does
// not number messages as earlier ones were: the spool would take them for known.
func nextEpoch(file string, now time.Time) (uint64, error) {
	fail := func(doing string, err error) (uint64, error) {
		return 0, fmt.Errorf("syslog: %s the bind counter %s: %w", doing, file, err)
	}
	var last uint64
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		last = uint64(max(now.Unix(), 1)) - 1
	case err != nil:
		return fail("reading", err)
	default:
		last, err = strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
		if err != nil {
			return fail("reading", fmt.Errorf("%w; remove the file, a new counter starts above every old one", err))
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fail("writing", err)
	}
	_, err = fmt.Fprintf(tmp, "%d\n", last+1)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fail("writing", errors.Join(err, os.Remove(tmp.Name())))
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fail("writing", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fail("writing", err)
	}
	return last + 1, nil
}
