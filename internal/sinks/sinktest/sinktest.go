// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package sinktest holds what every sink must do, as one test that runs over all of them, and peers to test against.
//
// The peers keep what they accepted before they fail, as real ones do: a test of a lost answer must find the message
// there.
package sinktest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/sinks"
)

// Kind is one kind of sink under test.
type Kind struct {
	// New makes the sink; its peer answers at base.
	New func(t *testing.T, client *http.Client, base string) sinks.Sink
	// Peer is one that accepts everything, and counts the different things it was given.
	Peer func() (h http.Handler, count func() int)
	// Secrets must appear in no error and no receipt.
	Secrets []string
}

// fault says how the peer treats the next requests.
type fault int

const (
	none fault = iota
	limited
	failing
	refusing
	dropping // accepts, then drops the connection
	hanging
)

// server puts faults in front of a peer.
type server struct {
	mu    sync.Mutex
	fault fault
	peer  http.Handler
	hang  chan struct{}
}

func (s *server) set(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.fault
	s.mu.Unlock()
	switch f {
	case limited:
		w.Header().Set("Retry-After", "7")
		http.Error(w, "slow down", http.StatusTooManyRequests)
	case failing:
		http.Error(w, "out of order", http.StatusServiceUnavailable)
	case refusing:
		http.Error(w, "no such thing", http.StatusNotFound)
	case dropping:
		s.peer.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case hanging:
		select {
		case <-s.hang:
		case <-r.Context().Done():
		}
	default:
		s.peer.ServeHTTP(w, r)
	}
}

// Run is the conformance test of the sink contract.
func Run(t *testing.T, kind Kind) {
	peer, count := kind.Peer()
	srv := &server{peer: peer, hang: make(chan struct{})}
	ts := httptest.NewServer(srv)
	defer ts.Close()
	defer close(srv.hang)
	sink := kind.New(t, ts.Client(), ts.URL)
	d := Delivery(1, sinks.Full)

	send := func(f fault, d *sinks.Delivery) (sinks.Receipt, error) {
		t.Helper()
		srv.set(f)
		receipt, err := sink.Send(t.Context(), d)
		for _, secret := range kind.Secrets {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows a secret: %v", err)
			}
			if strings.Contains(receipt.Ref+string(receipt.Answer), secret) {
				t.Errorf("the receipt shows a secret: %+v", receipt)
			}
		}
		return receipt, err
	}

	receipt, err := send(none, d)
	if err != nil || receipt.State != sinks.Done || count() != 1 {
		t.Fatalf("ok: %+v, %v, the peer has %d", receipt, err, count())
	}
	d.Prior = receipt
	if _, err := send(none, d); err != nil || count() != 1 {
		t.Errorf("the same delivery again: %v, the peer has %d, want 1", err, count())
	}
	d.Prior = sinks.Receipt{}

	var again *sinks.RetryError
	if _, err := send(limited, d); !errors.As(err, &again) || again.After != 7*time.Second || !again.Refused {
		t.Errorf("429: %#v, want a RetryError after 7 s that was refused", err)
	}
	again = nil
	if _, err := send(failing, d); !errors.As(err, &again) || again.Refused || errors.Is(err, sinks.ErrPermanent) {
		t.Errorf("503: %v, want a RetryError", err)
	}
	if _, err := send(refusing, d); !errors.Is(err, sinks.ErrPermanent) || errors.As(err, &again) && again.After > 0 {
		t.Errorf("404: %v, want ErrPermanent", err)
	}
	if count() != 1 {
		t.Errorf("after refusals the peer has %d, want 1", count())
	}

	lost := Delivery(2, sinks.Full)
	again = nil
	if _, err := send(dropping, lost); !errors.As(err, &again) || again.Refused {
		t.Errorf("a lost answer: %v, want a RetryError that was not refused", err)
	}
	lost.Prior = sinks.Receipt{State: sinks.Unknown}
	if _, err := send(none, lost); err != nil || count() != 2 {
		t.Errorf("after a lost answer: %v, the peer has %d, want 2", err, count())
	}

	srv.set(hanging)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := sink.Send(ctx, d); err == nil || errors.Is(err, sinks.ErrPermanent) {
		t.Errorf("a slow peer: %v, want an error that is not permanent", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := sink.Send(ctx, d); err == nil || errors.Is(err, sinks.ErrPermanent) {
		t.Errorf("cancelled: %v, want an error that is not permanent", err)
	}

	ts.CloseClientConnections()
	dead := httptest.NewServer(srv)
	base := dead.URL
	dead.Close()
	again = nil
	gone := kind.New(t, http.DefaultClient, base)
	if _, err := gone.Send(t.Context(), d); !errors.As(err, &again) || !again.Refused {
		t.Errorf("nobody listens: %v, want a RetryError that was refused", err)
	}
}

// State makes an alert with all that can be disclosed in it. Its text is Vietnamese, composed and decomposed, with
// markup and control characters as an attacker would send them.
func State(n byte) *alert.State {
	at := time.Date(2026, 9, 2, 2, 10, 0, 0, time.UTC).UnixNano()
	return &alert.State{
		Alert: &alert.Alert{
			ID: alert.ID{n}, Update: 1,
			Rule: alert.Rule{
				ID: "ssh-guess", Title: "Dò mật khẩu SSH vào máy chủ", Level: "medium",
				Description: "Nhie\u0302\u0300u la\u0302\u0300n đăng nhập thất bại", Steps: []string{"Kiểm tra tài khoản"},
			},
			Group: []alert.KV{{Field: "source.ip", Value: "198.51.100.7"}, {Field: "user.name", Value: "<!channel>`*a*`\x1b"}},
			Count: 12, First: at, Last: at, At: at, Since: at, Severity: alert.High, Level: 3,
			Systems:  []alert.System{{ID: "dvc", Name: "Cổng dịch vụ công", Level: 3, Unit: "so-kh"}},
			Units:    []string{"so-kh"},
			Policy:   "medium ở cấp 3: cao",
			Evidence: []alert.Evidence{{Event: event.ID{n}, Time: at, Original: "Failed password for <root> & nguyễn"}},
			Query:    `source.ip: "198.51.100.7"`,
		},
		Status: alert.StatusOpen, Entry: uint64(n), RaisedAt: at, ChangedAt: at, Assignee: "lan.tran",
	}
}

// Delivery makes a first delivery of such an alert.
func Delivery(n byte, how sinks.Disclosure) *sinks.Delivery {
	s := how.Cut(State(n))
	return &sinks.Delivery{
		Alerts: []*alert.Alert{s.Alert}, Update: 1, Key: s.Alert.ID.String() + ".1.test", States: []*alert.State{s},
		Links: []string{"https://soc.example/alerts/" + s.Alert.ID.String()}, Change: alert.Raised, Disclosure: how,
		Since: time.Unix(0, State(n).RaisedAt),
	}
}
