// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// state is what a listener keeps on the disk: how often it was opened, and for sockets that outlive it, because a
// parent process holds them, the kernel's drops that were reported.
type state struct {
	file  string
	epoch uint64
	drops map[uint64]uint32 // by the socket's cookie, which no other socket of this boot has
}

// nextState reads the state in a file, adds one to the bind counter and returns once it is on the disk. Without the
// file the counter starts at the time in seconds rather than at one, so that a state directory that was lost while
// the spool was kept does not number messages as earlier ones were: the spool would take them for known.
func nextState(file string, now time.Time) (*state, error) {
	s := &state{file: file, epoch: uint64(max(now.Unix(), 1)) - 1, drops: map[uint64]uint32{}}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("syslog: reading the bind counter: %w", err)
	default:
		if err := s.parse(data); err != nil {
			return nil, fmt.Errorf("syslog: reading the bind counter: %s: %w; remove the file, a new counter starts "+
				"above every old one", file, err)
		}
	}
	s.epoch++
	return s, s.store()
}

// parse reads "epoch N" and lines of "drops COOKIE N".
func (s *state) parse(data []byte) error {
	s.epoch = 0
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var cookie uint64
		var drops uint32
		if _, err := fmt.Sscanf(lines.Text(), "epoch %d", &s.epoch); err == nil {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "drops %d %d", &cookie, &drops); err != nil {
			return fmt.Errorf("line %q: %w", lines.Text(), err)
		}
		s.drops[cookie] = drops
	}
	if s.epoch == 0 {
		return errors.New("it has no epoch")
	}
	return nil
}

// store writes the state; it is the old one or the new one after a crash.
func (s *state) store() error {
	text := fmt.Appendf(nil, "epoch %d\n", s.epoch)
	for cookie, n := range s.drops {
		text = fmt.Appendf(text, "drops %d %d\n", cookie, n)
	}
	dir := filepath.Dir(s.file)
	tmp, err := os.CreateTemp(dir, filepath.Base(s.file)+".*")
	if err != nil {
		return fmt.Errorf("syslog: writing the bind counter: %w", err)
	}
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), s.file)
	}
	if err != nil {
		return fmt.Errorf("syslog: writing the bind counter: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return fmt.Errorf("syslog: writing the bind counter: %w", err)
	}
	return nil
}
