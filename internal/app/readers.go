// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/haidang-soc/haidang/internal/spool"
)

// Reader is a further reader of the spool, beside the store and the correlator: the spool keeps what it has not
// trimmed.
type Reader struct {
	Name string // under which it trims
	// Run reads until ctx is done, then returns nil; an error ends the server. It keeps its own place.
	Run func(ctx context.Context, s *spool.Spool) error
}

// readers are the names of all that read the spool; records are kept until each has them safe elsewhere.
func (a *App) readers() []string {
	list := []string{readerStore, readerCorrelator}
	for _, r := range a.opt.Readers {
		list = append(list, r.Name)
	}
	return list
}
