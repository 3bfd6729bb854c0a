// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package natstest runs an embedded JetStream for tests of what keeps its state in one.
//
// Tests of the spool open the server of package spool instead: how that behaves on a full disk or after a crash is
// what they are about.
package natstest

import (
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Start runs a server in this process, without a socket, that keeps its files in dir. It ends with the test, or when
// stop is called: another one may then be started in dir.
func Start(tb testing.TB, dir string) (js jetstream.JetStream, stop func()) {
	tb.Helper()
	s, err := server.NewServer(&server.Options{JetStream: true, StoreDir: dir, DontListen: true, SyncAlways: true,
		NoSigs: true, NoLog: true, JetStreamMaxStore: 1 << 30})
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	var nc *nats.Conn
	end := sync.OnceFunc(func() {
		if nc != nil {
			nc.Close()
		}
		s.Shutdown()
		s.WaitForShutdown()
	})
	tb.Cleanup(end)
	if !s.ReadyForConnections(time.Minute) {
		tb.Fatal("the embedded server did not start")
	}
	if nc, err = nats.Connect("", nats.InProcessServer(s)); err != nil {
		tb.Fatal(err)
	}
	if js, err = jetstream.New(nc); err != nil {
		tb.Fatal(err)
	}
	return js, end
}
