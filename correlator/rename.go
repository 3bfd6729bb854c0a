// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/haidang-soc/haidang/internal/safefile"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Rename makes the checkpoints in the directory, which no engine uses, continue a stream that goes on under another
// incarnation. It returns the place of the newest, the zero Cursor when there is none. Damaged ones are left alone, a
// cursor of a third incarnation is an error.
func (c *Checkpointer) Rename(from, to spool.Incarnation) (newest spool.Cursor, err error) {
	files, err := c.files()
	if err != nil {
		return newest, err
	}
	for i := len(files) - 1; i >= 0; i-- {
		path := filepath.Join(c.Dir, files[i].name)
		data, err := os.ReadFile(path)
		if err != nil {
			return newest, err
		}
		data, at, err := renameCheckpoint(data, from, to)
		switch {
		case errors.Is(err, ErrCheckpoint):
			continue
		case err != nil:
			return newest, fmt.Errorf("correlator: %s: %w", path, err)
		}
		if err := safefile.Write(path, data, 0o600); err != nil {
			return newest, err
		}
		newest = at
	}
	return newest, nil
}

// renameCheckpoint replaces the cursor in a checkpoint.
func renameCheckpoint(data []byte, from, to spool.Incarnation) ([]byte, spool.Cursor, error) {
	state, err := openCheckpoint(data)
	if err != nil {
		return nil, spool.Cursor{}, err
	}
	r := &stateReader{b: state}
	r.readFacts()
	start := len(state) - len(r.b)
	at, err := spool.ParseCursor(r.text())
	if err != nil || r.bad {
		return nil, at, fmt.Errorf("no cursor: %w", ErrCheckpoint)
	}
	rest := r.b
	if at, err = at.Rename(from, to); err != nil {
		return nil, at, err
	}
	w := &stateWriter{b: append([]byte(nil), state[:start]...)}
	w.text(at.String())
	return sealCheckpoint(append(w.b, rest...)), at, nil
}

// InspectCheckpoint tells where in the stream a checkpoint is, after it has looked at its checksum.
func InspectCheckpoint(data []byte) (spool.Cursor, error) {
	state, err := openCheckpoint(data)
	if err != nil {
		return spool.Cursor{}, err
	}
	r := &stateReader{b: state}
	r.readFacts()
	at, err := spool.ParseCursor(r.text())
	if err != nil || r.bad {
		return at, fmt.Errorf("correlator: reading a checkpoint: no cursor: %w", ErrCheckpoint)
	}
	return at, nil
}
