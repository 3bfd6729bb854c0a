// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package socket

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/haidang-soc/haidang/internal/safefile"
)

// State is what a listener keeps on the disk: how often it was opened, and for sockets that outlive it, because a
// parent process holds them, the kernel's drops that were reported. One goroutine at a time.
type State struct {
	file  string
	epoch uint64
	drops map[uint64]uint32 // by the socket's cookie, which no other socket of this boot has
}

// Epoch is the bind counter: the epoch of the batches of this run.
func (s *State) Epoch() uint64 { return s.epoch }

// NextState reads the state in a file of an existing directory, adds one to the bind counter and returns once it is on
// the disk. Without the file the counter starts at the time in seconds rather than at one, so that a state directory
// that was lost while the spool was kept does not number messages as earlier ones were: the spool would take them for
// known.
func NextState(file string, now time.Time) (*State, error) {
	s := &State{file: file, epoch: uint64(max(now.Unix(), 1)) - 1, drops: map[uint64]uint32{}}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("socket: reading the bind counter: %w", err)
	default:
		if err := s.parse(data); err != nil {
			return nil, fmt.Errorf("socket: reading the bind counter: %s: %w; remove the file, a new counter starts "+
				"above every old one", file, err)
		}
	}
	s.epoch++
	return s, s.store()
}

// Resume sets from where the kernel's drops are counted: what an earlier run reported of a socket that was handed over
// is not told again, what was dropped while no run had it is. Call it once, before the first Drops.
func (s *State) Resume(list []*UDP) {
	reported := s.drops
	s.drops = map[uint64]uint32{}
	for _, u := range list {
		if n, ok := reported[u.cookie]; ok && u.cookie != 0 {
			u.baseline = n
			s.drops[u.cookie] = n
		}
	}
}

// Drops returns the datagrams that the kernel dropped from the sockets since the last call, and notes it for a next
// run. It reads a counter of the kernel: call it once a second and when the reading has ended.
func (s *State) Drops(list []*UDP) uint64 {
	var sum uint64
	for _, u := range list {
		n := u.drops()
		sum += n
		if n > 0 && u.cookie != 0 {
			s.drops[u.cookie] = u.baseline
			_ = s.store() // at worst the next run reports these drops again
		}
	}
	return sum
}

// parse reads "epoch N" and lines of "drops COOKIE N".
func (s *State) parse(data []byte) error {
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
func (s *State) store() error {
	text := fmt.Appendf(nil, "epoch %d\n", s.epoch)
	for cookie, n := range s.drops {
		text = fmt.Appendf(text, "drops %d %d\n", cookie, n)
	}
	if err := safefile.Write(s.file, text, 0o600); err != nil {
		return fmt.Errorf("socket: writing the bind counter: %w", err)
	}
	return nil
}
