// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Sizes of the embedded server. A record is at most maxRecord; what else may be published is at most maxPayload.
const (
	maxRecord  = 4 << 20
	maxPayload = 8 << 20
	maxPending = 128 << 20
)

// ServerConfig says where the embedded server keeps its streams and what it must leave free.
type ServerConfig struct {
	Dir      string        // the data directory: streams in Dir/jetstream, the spool's own small files in Dir/spool
	Reserve  int64         // bytes left free on Dir's file system; 0: the larger of 1 GiB and 5 % of it; -1: none
	MaxStore int64         // bytes that all streams together may take; 0: the whole file system, so the reserve decides
	NoSync   bool          // for tests and replays whose data may be lost: no fsync after each message
	Deadline time.Duration // for the server to become ready; 0: 30 s
	Log      *slog.Logger  // nil: discard

	// Space returns free and total bytes of Dir's file system; nil asks the operating system.
	Space func(dir string) (free, total int64, err error)
}

// Server is the embedded JetStream server of the process: no listener, reached through Conn. The spool, the alert log
// and the key-value buckets share it. Safe for concurrent use.
type Server struct {
	cfg  ServerConfig
	lock *os.File

	reopen sync.Mutex // held while the server is reopened or closed

	mu     sync.Mutex // guards what follows
	srv    *server.Server
	lives  uint64          // times it was started
	life   context.Context // done when the server that runs now is stopped
	end    context.CancelFunc
	closed bool

	nc *nats.Conn
	js jetstream.JetStream
}

// OpenServer starts the server and returns when it answers. It creates the directories it needs.
func OpenServer(cfg ServerConfig) (*Server, error) {
	if cfg.Deadline == 0 {
		cfg.Deadline = 30 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Space == nil {
		cfg.Space = diskSpace
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, "spool"), 0o700); err != nil {
		return nil, fmt.Errorf("spool server: making its directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(cfg.Dir, "spool", "lock"))
	if err != nil {
		return nil, fmt.Errorf("spool server: locking %s: %w: another process uses this data directory, stop it first",
			cfg.Dir, err)
	}
	s := &Server{cfg: cfg, lock: lock}
	if err := s.start(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.Name("haidang"), nats.MaxReconnects(-1),
		nats.ReconnectWait(50*time.Millisecond), nats.ReconnectJitter(0, 0), nats.ReconnectBufSize(-1),
		nats.Timeout(cfg.Deadline), nats.NoCallbacksAfterClientClose(), nats.ErrorHandler(s.asyncError))
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("spool server: connecting in process: %w", err)
	}
	s.nc = nc
	if s.js, err = jetstream.New(nc); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("spool server: opening JetStream: %w", err)
	}
	return s, nil
}

// Conn returns the connection, good for the Server's whole life: after Reopen it reconnects by itself, and until then
// what is published fails at once.
func (s *Server) Conn() *nats.Conn { return s.nc }

// JetStream returns the JetStream API over Conn, good for the Server's whole life.
func (s *Server) JetStream() jetstream.JetStream { return s.js }

// Dir returns the data directory.
func (s *Server) Dir() string { return s.cfg.Dir }

// InProcessConn makes the Server a nats.InProcessConnProvider: it dials the server that runs now.
func (s *Server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv == nil {
		return nil, errors.New("spool server: not running")
	}
	return s.srv.InProcessConn()
}

// Room returns ErrFull when less than the given share of the reserve is free: the spool asks for 1, the alert log and
// the key-value buckets, which are small and matter more, for 0.5.
func (s *Server) Room(share float64) error {
	free, total, err := s.cfg.Space(s.cfg.Dir)
	if err != nil {
		return fmt.Errorf("spool server: reading free space: %w", err)
	}
	reserve := s.cfg.Reserve
	if reserve == 0 {
		reserve = max(1<<30, total/20)
	}
	if reserve > 0 && float64(free) < share*float64(reserve) {
		return ErrFull
	}
	return nil
}

// Reopen stops the embedded server and starts it again: a stream that met a write error answers nobody until then.
// It blocks until the new server answers; what was under way fails, and its outcome must be found out by reading.
func (s *Server) Reopen() error {
	s.reopen.Lock()
	defer s.reopen.Unlock()
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	s.cfg.Log.Warn("spool server: reopening")
	s.stop()
	if err := s.start(); err != nil {
		return err
	}
	for until := time.Now().Add(s.cfg.Deadline); ; time.Sleep(5 * time.Millisecond) {
		if err := s.nc.FlushTimeout(s.cfg.Deadline); err == nil && s.nc.IsConnected() {
			return nil
		} else if time.Now().After(until) {
			return fmt.Errorf("spool server: connecting again: %w", err)
		}
	}
}

// Close ends the connection and the server. Everything acknowledged is on disk already.
func (s *Server) Close() error {
	s.reopen.Lock()
	defer s.reopen.Unlock()
	if s.nc != nil {
		s.nc.Close()
	}
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.stop()
	return s.lock.Close()
}

// start runs a new embedded server. The caller holds reopen, or nobody else has s yet.
func (s *Server) start() error {
	maxStore := s.cfg.MaxStore
	if maxStore == 0 {
		_, total, err := s.cfg.Space(s.cfg.Dir)
		if err != nil {
			return fmt.Errorf("spool server: reading the size of the file system: %w", err)
		}
		maxStore = max(total, 1<<30)
	}
	srv, err := server.NewServer(&server.Options{
		ServerName:         "haidang",
		DontListen:         true,
		NoSigs:             true,
		JetStream:          true,
		StoreDir:           s.cfg.Dir, // the server adds "jetstream"
		SyncAlways:         !s.cfg.NoSync,
		JetStreamMaxStore:  maxStore,
		JetStreamMaxMemory: 64 << 20,
		MaxPayload:         maxPayload,
		MaxPending:         maxPending,
		WriteDeadline:      30 * time.Second,
		NoSystemAccount:    true,
	})
	if err != nil {
		return fmt.Errorf("spool server: configuring: %w", err)
	}
	srv.SetLoggerV2(natsLog{s.cfg.Log}, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(s.cfg.Deadline) {
		srv.Shutdown()
		return fmt.Errorf("spool server: not ready within %v; see the log for what JetStream says about %s",
			s.cfg.Deadline, filepath.Join(s.cfg.Dir, "jetstream"))
	}
	if !srv.JetStreamEnabled() {
		srv.Shutdown()
		return fmt.Errorf("spool server: JetStream did not start; see the log about %s",
			filepath.Join(s.cfg.Dir, "jetstream"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.srv = srv
	s.lives++
	s.life, s.end = context.WithCancel(context.Background())
	return nil
}

// stop ends the embedded server, if one runs. The caller holds reopen, or nobody else has s yet.
func (s *Server) stop() {
	s.mu.Lock()
	srv := s.srv
	s.srv = nil
	if s.end != nil {
		s.end()
	}
	s.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// number numbers the embedded server that runs now: another after each Reopen.
func (s *Server) number() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lives
}

// bound returns ctx with a time-out, done also when the embedded server that runs now is stopped: it takes requests
// with it without an answer.
func (s *Server) bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, d)
	s.mu.Lock()
	life := s.life
	s.mu.Unlock()
	stop := context.AfterFunc(life, cancel)
	return ctx, func() { stop(); cancel() }
}

// asyncError takes what the connection has to say between calls: each call says what concerns it.
func (s *Server) asyncError(_ *nats.Conn, _ *nats.Subscription, err error) {
	s.cfg.Log.Debug("spool server: connection", "err", err)
}

// natsLog passes the embedded server's lines to slog: what it calls a notice is of no interest to an operator.
type natsLog struct{ log *slog.Logger }

func (l natsLog) Noticef(f string, a ...any) { l.log.Debug("jetstream: " + fmt.Sprintf(f, a...)) }
func (l natsLog) Warnf(f string, a ...any)   { l.log.Warn("jetstream: " + fmt.Sprintf(f, a...)) }
func (l natsLog) Errorf(f string, a ...any)  { l.log.Error("jetstream: " + fmt.Sprintf(f, a...)) }
func (l natsLog) Fatalf(f string, a ...any)  { l.log.Error("jetstream: " + fmt.Sprintf(f, a...)) }
func (l natsLog) Debugf(string, ...any)      {}
func (l natsLog) Tracef(string, ...any)      {}
