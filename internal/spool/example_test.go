// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"context"
	"fmt"
	"os"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

func Example() {
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	srv, err := spool.OpenServer(spool.ServerConfig{Dir: dir, Reserve: 1 << 20})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	s, err := spool.Open(ctx, srv, spool.Config{Readers: []string{"store"}, Tick: -1})
	if err != nil {
		panic(err)
	}
	defer s.Close()

	b := event.NewBuilder("listener/udp514", 1)
	b.Begin(0, 0)
	b.Str(event.EventOriginal, "<38>sshd: đăng nhập thất bại")
	b.End()
	if err := s.Write(ctx, b.Batch(0, 1)); err != nil { // on disk when it returns
		panic(err)
	}

	at := s.Trimmed("store") // a reader keeps its own cursor, with its own state
	for r, err := range s.Read(ctx, at) {
		if err != nil {
			panic(err)
		}
		for _, batch := range r.Batches {
			for e := range batch.Events() {
				fmt.Println(batch.Source(), e.Text(event.EventOriginal))
			}
		}
		at = at.Advance(&r)
		break
	}
	if err := s.Trim("store", at); err != nil {
		panic(err)
	}
	// Output: listener/udp514 <38>sshd: đăng nhập thất bại
}
