// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/safefile"
)

// Checkpointer keeps the engine's state in a directory as full-<sequence>: the newest two, so that a damaged one does
// not end in nothing. One goroutine may use it at a time; Save blocks for the disk.
type Checkpointer struct {
	Dir   string
	Every time.Duration // 0: see Due

	last  time.Time     // of the last Save
	spent time.Duration // how long it took
	safe  Cursor        // of the older of the two files
	newer Cursor
}

// Due says whether the state should be saved now: every 10 s, less often where saving takes long (at most 1 % of the
// time), but every 10 minutes at least. It only decides when; what is saved is a function of the stream.
func (c *Checkpointer) Due(now time.Time) bool {
	wait := min(max(10*time.Second, 100*c.spent), 10*time.Minute)
	if c.Every > 0 {
		wait = c.Every
	}
	return now.Sub(c.last) >= wait
}

// Save writes the engine's state and returns the cursor up to which the spool may be trimmed: that of the oldest file
// kept, since it is what a restart may have to begin from. It is zero until two files are there.
func (c *Checkpointer) Save(e *Engine) (Cursor, error) {
	start := time.Now()
	data, err := e.Checkpoint()
	if err == nil {
		err = c.write(e, data)
	}
	c.last, c.spent = time.Now(), time.Since(start)
	if err != nil {
		return c.safe, fmt.Errorf("correlator: saving a checkpoint: %w", err)
	}
	c.safe, c.newer = c.newer, e.Cursor()
	return c.safe, nil
}

func (c *Checkpointer) write(e *Engine, data []byte) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	seq := uint64(1)
	if len(files) > 0 {
		seq = files[0].seq + 1
	}
	if err := safefile.Write(filepath.Join(c.Dir, fmt.Sprintf("full-%020d", seq)), data, 0o600); err != nil {
		return err
	}
	for _, old := range files[min(1, len(files)):] {
		if err := os.Remove(filepath.Join(c.Dir, old.name)); err != nil {
			return err
		}
	}
	return nil
}

// Load makes an engine of the newest checkpoint that can be read; without any it is new and begins at the start of the
// stream. Files that cannot be read are named in damaged, which is for the log: nothing is lost as long as the stream
// still has the records after the older file. Where every file is damaged, Load refuses: an engine that began anew
// would raise old alerts again.
func (c *Checkpointer) Load(cfg Config) (e *Engine, damaged []error, err error) {
	files, err := c.files()
	if err != nil {
		return nil, nil, fmt.Errorf("correlator: looking for checkpoints: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(c.Dir, f.name)
		data, err := os.ReadFile(path)
		if err == nil {
			e, err = Restore(cfg, data)
		}
		if err == nil {
			c.newer = e.Cursor()
			return e, damaged, nil
		}
		damaged = append(damaged, fmt.Errorf("%s: %w", path, err))
	}
	if len(files) > 0 {
		return nil, damaged, fmt.Errorf("correlator: every checkpoint in %s is damaged; restore a backup, or remove them to "+
			"begin anew from the oldest record kept: %w", c.Dir, errors.Join(damaged...))
	}
	e, err = New(cfg)
	return e, nil, err
}

type checkpointFile struct {
	name string
	seq  uint64
}

// files lists the checkpoints, newest first.
func (c *Checkpointer) files() ([]checkpointFile, error) {
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []checkpointFile
	for _, f := range entries {
		if s, ok := strings.CutPrefix(f.Name(), "full-"); ok {
			if n, err := strconv.ParseUint(s, 10, 64); err == nil {
				list = append(list, checkpointFile{f.Name(), n})
			}
		}
	}
	slices.SortFunc(list, func(a, b checkpointFile) int {
		if a.seq > b.seq {
			return -1
		}
		return 1
	})
	return list, nil
}
