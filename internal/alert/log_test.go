// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/natstest"
)

func openLog(t testing.TB, js jetstream.JetStream) *Log {
	t.Helper()
	l, err := Open(t.Context(), Config{JS: js})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var detected = time.Date(2026, 9, 2, 2, 10, 0, 0, time.UTC)

func sample(n byte, update uint32, severity Severity) *Alert {
	return &Alert{
		ID: ID{n}, Update: update, Position: Position{Seq: uint64(update)},
		Rule: Rule{
			ID: "ssh-guess", Title: "Dò mật khẩu SSH vào máy chủ", Level: "medium",
			Description: "Nhiều lần đăng nhập thất bại", Tags: []string{"attack.t1110"},
		},
		Group: []KV{{"source.ip", "198.51.100.7"}, {"user.name", "root"}},
		Count: 12, First: detected.UnixNano(), Last: detected.Add(time.Minute).UnixNano(),
		At: detected.UnixNano(), Since: detected.UnixNano(), Severity: severity, Level: 3,
		Systems: []System{{ID: "dvc", Name: "Cổng dịch vụ công", Level: 3, Unit: "so-tttt"}},
		Units:   []string{"so-tttt"}, Policy: "medium ở cấp 3: cao",
		Basis:    []Clause{{Text: "ND 85/2016 Đ19.2.đ", Certainty: "read"}},
		Evidence: []Evidence{{Event: event.ID{1, n}, Time: detected.UnixNano(), Original: "Failed password for root"}},
		Query:    `rule.id: "ssh-guess"`,
	}
}

func emit(t testing.TB, l *Log, alerts ...*Alert) int {
	t.Helper()
	n, err := l.Emit(t.Context(), alerts...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func act(t testing.TB, l *Log, a Action) *State {
	t.Helper()
	if a.Actor == "" {
		a.Actor = "lan"
	}
	s, err := l.Act(t.Context(), access.Everything(), a)
	if err != nil {
		t.Fatalf("%s: %v", a.Kind, err)
	}
	return s
}

func TestEmitIsIdempotentAndSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	js, stop := natstest.Start(t, dir)
	l := openLog(t, js)
	if n := emit(t, l, sample(1, 1, Medium), sample(2, 1, Low), sample(1, 2, High), sample(1, 2, High)); n != 3 {
		t.Fatalf("appended %d entries, want 3", n)
	}
	if n := emit(t, l, sample(1, 1, Medium), sample(1, 2, High)); n != 0 {
		t.Fatalf("a repetition appended %d entries", n)
	}
	act(t, l, Action{Kind: Acknowledge, Alert: ID{1}})
	n, hash := l.Head()
	stop()

	js, _ = natstest.Start(t, dir)
	read := uint64(0)
	l, err := Open(t.Context(), Config{JS: js, Progress: func(done, _ uint64) { read = done }})
	if err != nil {
		t.Fatal(err)
	}
	if gotN, gotHash := l.Head(); gotN != n || gotHash != hash || n != 4 {
		t.Fatalf("head after reopening: %d %s, want %d %s", gotN, gotHash, n, hash)
	}
	if read != 2 {
		t.Errorf("progress told %d messages, want 2: a step is one message", read)
	}
	s, err := l.Get(access.Everything(), ID{1})
	if err != nil || s.Status != StatusAcknowledged || s.Alert.Update != 2 || s.Alert.Severity != High {
		t.Fatalf("after reopening: %+v, %v", s, err)
	}
	if n, _, err := l.Verify(t.Context()); err != nil || n != 4 {
		t.Fatalf("Verify: %d, %v", n, err)
	}
	if n := emit(t, l, sample(2, 1, Low)); n != 0 {
		t.Fatalf("a repetition after reopening appended %d entries", n)
	}
}

func TestSeveralWritersShareOneChain(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	const writers, each = 4, 12
	var logs []*Log
	for range writers {
		logs = append(logs, openLog(t, js))
	}
	var all sync.WaitGroup
	for w, l := range logs {
		all.Go(func() {
			for i := range each {
				// every writer also repeats what the others emit
				for o := range writers {
					if _, err := l.Emit(t.Context(), sample(byte((w+o)%writers+1), uint32(i+1), Low)); err != nil {
						t.Errorf("writer %d: %v", w, err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	n, _, err := logs[0].Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n < each || n > writers*each {
		t.Errorf("%d entries, want at most %d: each update once", n, writers*each)
	}
	seen := map[string]bool{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for e, err := range openLog(t, js).Subscribe(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprintf("%s.%d", e.Alert.ID, e.Alert.Update)
		if seen[key] {
			t.Errorf("%s is in the log twice", key)
		}
		seen[key] = true
		if e.N == n {
			break
		}
	}
}

func TestFollowerSeesOtherWriters(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	a, b := openLog(t, js), openLog(t, js)
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer run.Wait()
	defer cancel()
	emit(t, a, sample(1, 1, High))
	act(t, a, Action{Kind: Assign, Alert: ID{1}, Assignee: "minh"})
	for e, err := range b.Subscribe(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.N == 2 {
			if e.State == nil || e.State.Assignee != "minh" {
				t.Errorf("entry 2 came with state %+v", e.State)
			}
			break
		}
	}
}

func TestSubscribeReadsOnFromTheStream(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	const many = keepTail + 150
	for i := range many {
		emit(t, l, sample(byte(i%7+1), uint32(i/7+1), Low))
	}
	for _, after := range []uint64{0, 1, 63, 64, 100, many - keepTail - 1, many - keepTail, many - 1} {
		want := after + 1
		for e, err := range l.Subscribe(t.Context(), after) {
			if err != nil {
				t.Fatal(err)
			}
			if e.N != want {
				t.Fatalf("after %d: entry %d, want %d", after, e.N, want)
			}
			if want++; e.N == many {
				break
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range l.Subscribe(ctx, many) {
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a cancelled subscription gave %v", err)
		}
	}
}

func TestVerifyNamesTheFirstBrokenEntry(t *testing.T) {
	forged := func(t *testing.T, l *Log, change func(*Entry)) []byte {
		e := &Entry{At: 1, Kind: Raised, Alert: sample(9, 1, Low)}
		n, hash := l.Head()
		if _, err := l.codec.encode([]*Entry{e}, head{n, hash}); err != nil {
			t.Fatal(err)
		}
		change(e)
		data, err := l.codec.encode([]*Entry{e}, head{e.N - 1, e.Prev})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, change := range map[string]func(*Entry){
		"other hash":   func(e *Entry) { e.Prev[3]++ },
		"number twice": func(e *Entry) { e.N-- },
		"number gap":   func(e *Entry) { e.N++ },
	} {
		t.Run(name, func(t *testing.T) {
			js, _ := natstest.Start(t, t.TempDir())
			l := openLog(t, js)
			emit(t, l, sample(1, 1, Low))
			emit(t, l, sample(2, 1, Low))
			if _, err := js.Publish(t.Context(), Subject, forged(t, l, change)); err != nil {
				t.Fatal(err)
			}
			wantBroken(t, l, 3)
			l = openLog(t, js)
			if l.Broken() == nil {
				t.Error("reopening did not notice the break")
			}
			if n := emit(t, l, sample(3, 1, Low)); n != 1 {
				t.Error("after a break the log does not go on")
			}
			wantBroken(t, l, 3)
		})
	}
	t.Run("rubbish", func(t *testing.T) {
		js, _ := natstest.Start(t, t.TempDir())
		l := openLog(t, js)
		emit(t, l, sample(1, 1, Low))
		if _, err := js.Publish(t.Context(), Subject, []byte("not an entry")); err != nil {
			t.Fatal(err)
		}
		wantBroken(t, l, 2)
		emit(t, l, sample(2, 1, Low))
		if n, _ := l.Head(); n != 2 {
			t.Errorf("head %d, want 2", n)
		}
	})
}

func wantBroken(t *testing.T, l *Log, n uint64) {
	t.Helper()
	_, _, err := l.Verify(t.Context())
	var broken *BrokenError
	if !errors.As(err, &broken) || broken.N != n {
		t.Fatalf("Verify: %v, want a break at entry %d", err, n)
	}
}

func TestLargeEvidenceIsCutToFit(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	a := sample(1, 1, High)
	a.Evidence = nil
	for i := range 1000 {
		noise := make([]byte, 2048)
		x := uint32(i + 1)
		for j := range noise { // printable and hard to compress
			x = x*1664525 + 1013904223
			noise[j] = 33 + byte(x>>25)%90
		}
		a.Evidence = append(a.Evidence, Evidence{Event: event.ID{byte(i)}, Original: string(noise)})
	}
	emit(t, l, a, sample(2, 1, Low))
	s, err := l.Get(access.Everything(), ID{1})
	if err != nil || s.Alert.Count != a.Count || len(s.Alert.Evidence) == 0 {
		t.Fatalf("%v", err)
	}
	if len(a.Evidence) != 1000 || a.Evidence[0].Original == "" {
		t.Error("the caller's alert was changed")
	}
	if n, _, err := l.Verify(t.Context()); err != nil || n != 2 {
		t.Fatalf("Verify: %d, %v", n, err)
	}
}

// lossy is a JetStream whose answers get lost: what is published is stored all the same, or not.
type lossy struct {
	jetstream.JetStream
	mu   sync.Mutex
	lose []bool // for each publish in turn: is it stored before the answer is lost
}

func (j *lossy) Publish(
	ctx context.Context, subject string, data []byte, opts ...jetstream.PublishOpt,
) (*jetstream.PubAck, error) {
	j.mu.Lock()
	lost, stored := len(j.lose) > 0, false
	if lost {
		stored, j.lose = j.lose[0], j.lose[1:]
	}
	j.mu.Unlock()
	if lost && !stored {
		return nil, nats.ErrTimeout
	}
	ack, err := j.JetStream.Publish(ctx, subject, data, opts...)
	if lost {
		return nil, nats.ErrTimeout
	}
	return ack, err
}

func TestALostAnswerIsNoDouble(t *testing.T) {
	for name, lose := range map[string][]bool{
		"stored": {true}, "not stored": {false}, "not, then stored": {false, true}, "both stored": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			real, _ := natstest.Start(t, t.TempDir())
			js := &lossy{JetStream: real}
			l := openLog(t, js)
			emit(t, l, sample(1, 1, Low))
			js.lose = lose
			if s := act(t, l, Action{Kind: Comment, Alert: ID{1}, Note: "một lần"}); len(s.History) != 1 {
				t.Errorf("%d comments, want 1", len(s.History))
			}
			js.lose = lose
			if n := emit(t, l, sample(1, 2, Low)); n != 1 {
				t.Errorf("%d entries, want 1", n)
			}
			if n, _, err := l.Verify(t.Context()); n != 3 || err != nil {
				t.Errorf("%d entries in the log, %v; want 3", n, err)
			}
		})
	}
	real, _ := natstest.Start(t, t.TempDir())
	js := &lossy{JetStream: real}
	l := openLog(t, js)
	js.lose = make([]bool, 100)
	if _, err := l.Emit(t.Context(), sample(1, 1, Low)); !errors.Is(err, nats.ErrTimeout) {
		t.Errorf("a server that never answers: %v", err)
	}
}

// writer keeps the batches that it is given.
type writer struct{ got []*event.Batch }

func (w *writer) Write(_ context.Context, b *event.Batch) error {
	w.got = append(w.got, b)
	if len(w.got) == 3 {
		return errors.New("full")
	}
	return nil
}

func TestSignalsAreContiguousRanges(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	l := openLog(t, js)
	emit(t, l, sample(1, 1, Low), sample(2, 1, High))
	act(t, l, Action{Kind: Acknowledge, Alert: ID{1}})
	w := new(writer)
	if err := l.Signals(t.Context(), w, 5, 0); err == nil {
		t.Fatal("the writer's error was lost")
	}
	for i, b := range w.got {
		n := uint64(i + 1)
		if b.Source() != Source || b.Epoch() != 5 || b.First() != n || b.Last() != n+1 || b.Len() != 1 {
			t.Errorf("batch %d: %s %d [%d, %d), %d events", i, b.Source(), b.Epoch(), b.First(), b.Last(), b.Len())
		}
	}
	if v, _ := w.got[2].At(0).Get(event.HaidangAlertStatus); v.Str() != "acknowledged" {
		t.Errorf("the third entry says %s", v.Str())
	}
}

func TestNoRoomRefuses(t *testing.T) {
	js, _ := natstest.Start(t, t.TempDir())
	full := errors.New("the disk is full")
	l, err := Open(t.Context(), Config{JS: js, Room: func() error { return full }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Emit(t.Context(), sample(1, 1, Low)); !errors.Is(err, full) {
		t.Errorf("%v, want the refusal", err)
	}
}
