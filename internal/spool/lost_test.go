// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// unreliable loses messages and answers on the way to the server.
func unreliable(seed uint64, real sendFunc) sendFunc {
	rnd := rand.New(rand.NewPCG(seed, 1)) // the committer alone calls it
	return func(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
		switch n := rnd.IntN(10); {
		case n == 0:
			return nil, context.DeadlineExceeded // never came there
		case n == 1:
			_, _ = real(ctx, m, opts...)
			return nil, context.DeadlineExceeded // stored, and the answer is lost
		}
		return real(ctx, m, opts...)
	}
}

// TestUnknownOutcome: whatever is lost between us and the server, nothing is lost and nothing is doubled, and readers
// and other users of the connection live through the server's reopening.
func TestUnknownOutcome(t *testing.T) {
	srv := testServer(t, ServerConfig{})
	s, err := Open(t.Context(), srv, Config{Tick: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s.send = unreliable(seed, s.send)
	const sources, batches = 4, 25
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	var wg sync.WaitGroup
	for w := range sources {
		wg.Go(func() {
			for i := range uint64(batches) {
				if err := s.Write(ctx, batch(fmt.Sprint(w), 1, i*3, i*3+3)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	live := map[string][]uint64{}
	n := 0
	for r, err := range s.Read(ctx, Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range r.Batches {
			live[b.Source()] = append(live[b.Source()], units([]Record{r}, b.Source())...)
			n += b.Len()
		}
		if n >= sources*batches*3 {
			break
		}
	}
	wg.Wait()
	rs := readAll(t, s, Cursor{})
	for w := range sources {
		contiguous(t, units(rs, fmt.Sprint(w)), 0, batches*3)
		contiguous(t, live[fmt.Sprint(w)], 0, batches*3)
	}
	if st := s.Stats(); st.Retries == 0 || st.Reopened == 0 {
		t.Errorf("nothing was lost on the way: %+v", st)
	}
}

// TestRefusalTakesWhatWasBuiltOnIt: a batch that was gathered behind a record which the server refuses must not be
// stored without it.
func TestRefusalTakesWhatWasBuiltOnIt(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{})
	real := s.send
	held, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.send = func(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (ack *jetstream.PubAck, err error) {
		ack, err = nil, &jetstream.APIError{ErrorCode: codeStoreFailed, Description: maximumBytes}
		refuse := false
		once.Do(func() { refuse = true; close(held); <-answer })
		if refuse {
			return ack, err
		}
		return real(ctx, m, opts...)
	}
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- s.Write(t.Context(), batch("a", 1, 0, 10)) }()
	<-held
	go func() { second <- s.Write(t.Context(), batch("a", 1, 10, 20)) }()
	for gathered := false; !gathered; {
		s.mu.Lock()
		gathered = len(s.queue) == 1
		s.mu.Unlock()
		runtime.Gosched()
	}
	close(answer)
	if err := <-first; !errors.Is(err, ErrFull) {
		t.Errorf("first: %v", err)
	}
	if err := <-second; !errors.Is(err, ErrFull) {
		t.Errorf("second: %v", err)
	}
	write(t, s, batch("a", 1, 0, 10), batch("a", 1, 10, 20))
	contiguous(t, units(readAll(t, s, Cursor{}), "a"), 0, 20)
}

func TestStreamMadeAnew(t *testing.T) {
	srv := testServer(t, ServerConfig{})
	s := testSpool(t, srv, Config{Readers: []string{"store"}})
	write(t, s, batch("a", 1, 0, 10), batch("a", 1, 10, 20), batch("a", 1, 20, 30))
	old := s.End()
	if err := s.Trim("store", old); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if err := srv.JetStream().DeleteStream(t.Context(), "SPOOL"); err != nil {
		t.Fatal(err)
	}
	s = testSpool(t, srv, Config{Readers: []string{"store"}})
	for _, err := range s.Read(t.Context(), old) {
		var inc *ErrIncarnation
		if !errors.As(err, &inc) || inc.Got == inc.Have {
			t.Fatalf("got %v", err)
		}
	}
	var inc *ErrIncarnation
	if err := s.Trim("store", old); !errors.As(err, &inc) {
		t.Fatalf("got %v", err)
	}
	// What was acknowledged is still known, and what the lost stream had beyond is no hole.
	write(t, s, batch("a", 1, 10, 30))
	if _, err := s.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if end := s.End().Seq(0); end <= old.Seq(0) {
		t.Fatalf("sequence %d was given again: a reader recorded %v", end, old)
	}
	write(t, s, batch("a", 1, 35, 40))
	rs := readAll(t, s, Cursor{})
	if rs[0].At.Seq != old.Seq(0)+1 {
		t.Fatalf("begins at %v", rs[0].At)
	}
	contiguous(t, units(rs, "a"), 35, 40)
	var hole *ErrHole
	if err := s.Write(t.Context(), batch("a", 1, 41, 42)); !errors.As(err, &hole) {
		t.Fatalf("got %v", err)
	}
}

func TestLostEndIsFilled(t *testing.T) {
	srv := testServer(t, ServerConfig{})
	s := testSpool(t, srv, Config{Readers: []string{"store"}})
	write(t, s, batch("a", 1, 0, 10))
	_ = s.Close()
	beyond := NewCursor(Mark{0, s.Incarnation(), 12})
	if err := writeSealed(s.path(".readers"), map[string]Cursor{"store": beyond}); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), srv, Config{Tick: -1, Readers: []string{"store"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write(t, s, batch("a", 1, 10, 20))
	rs := readAll(t, s, beyond)
	if len(rs) != 1 || rs[0].At.Seq != 13 {
		t.Fatalf("records %+v", rs)
	}
}

func TestDamagedCheckpoint(t *testing.T) {
	srv := testServer(t, ServerConfig{})
	s := testSpool(t, srv, Config{})
	write(t, s, batch("a", 1, 0, 10), batch("b", 1, 0, 10))
	_ = s.Close()
	data, err := os.ReadFile(s.path(".ranges"))
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte(`"last":10`), []byte(`"last":99`), 1) // good JSON, and a lie
	if err := os.WriteFile(s.path(".ranges"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = Open(t.Context(), srv, Config{Tick: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"a", "b"} {
		if a, ok := s.Known(name); !ok || a != (Ack{name, 1, 10}) {
			t.Errorf("%s: %v %v", name, a, ok)
		}
	}
}

func TestCloseEndsWriters(t *testing.T) {
	s := testSpool(t, testServer(t, ServerConfig{}), Config{})
	hold := make(chan struct{})
	held := make(chan struct{}, 1)
	real := s.send
	s.send = func(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
		held <- struct{}{}
		<-hold
		return real(ctx, m, opts...)
	}
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- s.Write(context.Background(), batch("a", 1, 0, 1)) }()
	<-held
	go func() { second <- s.Write(context.Background(), batch("a", 1, 1, 2)) }()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	if err := <-second; !errors.Is(err, ErrClosed) {
		t.Errorf("what waited: %v", err)
	}
	close(hold)
	if err := <-first; err != nil {
		t.Errorf("what was being published: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := s.Write(t.Context(), batch("a", 1, 0, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	for _, err := range s.Read(t.Context(), s.End()) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("reading after Close: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestForgetSilentSource(t *testing.T) {
	h := &handTime{wall: int64(time.Hour)}
	var told []Ack
	s := testSpool(t, testServer(t, ServerConfig{}), Config{Clock: h, OnForget: func(a Ack) { told = append(told, a) }})
	write(t, s, batch("old", 2, 0, 10), batch("other", 1, 0, 10))
	h.wall += int64(89 * 24 * time.Hour)
	write(t, s, batch("other", 1, 10, 20))
	if err := s.writeCheckpoint(); err != nil || len(told) != 0 || len(s.Sources()) != 2 {
		t.Fatalf("after 89 days: %v, told of %v", err, told)
	}
	h.wall += int64(2 * 24 * time.Hour)
	write(t, s, batch("other", 1, 20, 30))
	if err := s.writeCheckpoint(); err != nil || len(told) != 1 || told[0] != (Ack{"old", 2, 10}) {
		t.Fatalf("after 91 days: %v, told of %v", err, told)
	}
	write(t, s, batch("old", 2, 50, 60)) // it begins anywhere again
	if got := s.Sources(); len(got) != 2 || got[0] != (Ack{"old", 2, 60}) || got[1] != (Ack{"other", 1, 30}) {
		t.Fatalf("sources %v", got)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	srv := testServer(t, ServerConfig{Dir: dir})
	if _, err := OpenServer(ServerConfig{Dir: dir}); err == nil {
		t.Fatal("two servers on one directory")
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	testServer(t, ServerConfig{Dir: dir})
}
