// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
)

// Rename returns the same place of a stream that goes on under another incarnation. A mark of a third incarnation is an
// *ErrIncarnation.
func (c Cursor) Rename(from, to Incarnation) (Cursor, error) {
	marks := c.Marks()
	for i := range marks {
		if marks[i].Incarnation != from {
			return Cursor{}, &ErrIncarnation{Shard: marks[i].Shard, Have: from, Got: marks[i].Incarnation}
		}
		marks[i].Incarnation = to
	}
	return NewCursor(marks...), nil
}

// RenameStream gives the stream another incarnation, and its small files with it: a copy of a stream goes on with other
// records than the original at the same positions, so whoever read the original must not take the one for the other.
// No Spool may be open on it. Cursors that are kept elsewhere are for the caller to rename. It is not atomic.
func RenameStream(ctx context.Context, srv *Server, name string) (from, to Incarnation, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("spool: renaming stream %s: %w", name, err)
		}
	}()
	st, err := srv.JetStream().Stream(ctx, name)
	if err != nil {
		return "", "", err
	}
	cfg := st.CachedInfo().Config
	from, to = Incarnation(cfg.Metadata[metaIncarnation]), Incarnation(rand.Text()[:16])
	if from == "" {
		return "", "", errors.New("it is a stream of something else: it has no incarnation")
	}
	cfg.Metadata[metaIncarnation] = string(to)
	if _, err := srv.JetStream().UpdateStream(ctx, cfg); err != nil {
		return "", "", err
	}
	dir := filepath.Join(srv.Dir(), "spool")
	ck, err := loadCheckpoint(filepath.Join(dir, name+".ranges"))
	if err != nil {
		return "", "", err
	}
	if ck.Incarnation == from {
		ck.Incarnation = to
		if err := writeSealed(filepath.Join(dir, name+".ranges"), ck); err != nil {
			return "", "", err
		}
	}
	readers := map[string]Cursor{}
	if err := readSealed(filepath.Join(dir, name+".readers"), &readers); err != nil {
		return "", "", err
	}
	for r, c := range readers {
		if readers[r], err = c.Rename(from, to); err != nil {
			return "", "", fmt.Errorf("reader %s: %w", r, err)
		}
	}
	return from, to, writeSealed(filepath.Join(dir, name+".readers"), readers)
}
