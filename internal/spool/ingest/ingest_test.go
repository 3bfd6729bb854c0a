// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// outFunc is an event.Writer and Dropper made of a function.
type outFunc func(source string) error

func (f outFunc) Write(_ context.Context, b *event.Batch) error   { return f(b.Source()) }
func (f outFunc) WriteDrop(_ context.Context, d spool.Drop) error { return f(d.Source) }

func accepting(string) error { return nil }

func onlyAgent7(r *http.Request) (func(string) bool, error) {
	if r.Header.Get("Authorization") != "Bearer bí mật" {
		return nil, errors.New("unknown token")
	}
	return func(s string) bool { return strings.HasPrefix(s, "agent/7/") }, nil
}

func withToken(r *http.Request) { r.Header.Set("Authorization", "Bearer bí mật") }

func TestSend(t *testing.T) {
	srv, err := spool.OpenServer(spool.ServerConfig{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	s, err := spool.Open(t.Context(), srv, spool.Config{Tick: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	web := httptest.NewServer(New(Config{Out: s, Drops: s, Authorize: onlyAgent7}))
	defer web.Close()
	for _, zip := range []bool{false, true} {
		source := fmt.Sprintf("agent/7/zip=%v", zip)
		c := &Client{URL: web.URL, Auth: withToken, Gzip: zip}
		acks, err := c.Send(t.Context(), batch(source, 2, 0, 5), batch(source+"b", 1, 7, 9), batch(source, 2, 5, 8))
		if err != nil || len(acks) != 2 || acks[0] != (spool.Ack{Source: source, Epoch: 2, Last: 8}) ||
			acks[1] != (spool.Ack{Source: source + "b", Epoch: 1, Last: 9}) {
			t.Fatalf("%v, %v", acks, err)
		}
		acks, err = c.Send(t.Context(), batch(source, 2, 10, 12), batch(source+"b", 1, 9, 10))
		var hole *spool.ErrHole
		if !errors.As(err, &hole) || *hole != (spool.ErrHole{Source: source, Epoch: 2, First: 10, Last: 8}) ||
			len(acks) != 1 || acks[0].Source != source+"b" {
			t.Fatalf("%v, %v", acks, err)
		}
		drop := spool.Drop{Source: source, Epoch: 2, First: 8, Last: 10, Reason: "đĩa đầy"}
		if err := c.WriteDrop(t.Context(), drop); err != nil {
			t.Fatal(err)
		}
		if err := c.Write(t.Context(), batch(source, 2, 10, 12)); err != nil {
			t.Fatal(err)
		}
		var over *spool.ErrEpoch
		if err := c.Write(t.Context(), batch(source, 1, 0, 1)); !errors.As(err, &over) || over.Current != 2 {
			t.Fatalf("got %v", err)
		}
	}
}

func TestRefusals(t *testing.T) {
	full := New(Config{Out: outFunc(func(string) error { return fmt.Errorf("wrapped: %w", spool.ErrFull) }),
		Authorize: onlyAgent7})
	ok := New(Config{Out: outFunc(accepting), Authorize: onlyAgent7})
	body := func(bs ...*event.Batch) []byte {
		out := AppendStart(nil)
		for _, b := range bs {
			out = AppendBatch(out, b)
		}
		return out
	}
	forged := event.NewBuilder("agent/7/a", 1)
	forged.Begin(0, 0)
	forged.SetID(event.MakeID("agent/8/a", 1, 0, 0))
	forged.End()
	outside := event.NewBuilder("agent/7/a", 1)
	outside.Begin(5, 0)
	outside.End()
	good := body(batch("agent/7/a", 1, 0, 3))
	huge := binary.LittleEndian.AppendUint32(append(AppendStart(nil), frameBatch), 1<<31)
	drop, err := AppendDrop(AppendStart(nil), spool.Drop{Source: "agent/7/a", Last: 1})
	if err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, MaxBody+1))
	_ = z.Close()
	for _, tc := range []struct {
		name     string
		h        *Handler
		body     []byte
		encoding string
		noToken  bool
		want     int
	}{
		{name: "good", h: ok, body: good, want: 200},
		{name: "empty body", h: ok, want: 400},
		{name: "no frames", h: ok, body: AppendStart(nil), want: 200},
		{name: "no token", h: ok, body: good, noToken: true, want: 401},
		{name: "another's source", h: ok, body: body(batch("agent/7/a", 1, 0, 1), batch("agent/8/a", 1, 0, 1)), want: 403},
		{name: "another's id", h: ok, body: body(forged.Batch(0, 1)), want: 400},
		{name: "id outside the range", h: ok, body: body(outside.Batch(0, 5)), want: 400},
		{name: "empty range", h: ok, body: body(batch("agent/7/a", 1, 3, 3)), want: 400},
		{name: "cut short", h: ok, body: good[:len(good)-1], want: 400},
		{name: "cut in the head", h: ok, body: good[:7], want: 400},
		{name: "flipped bit", h: ok, body: append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1), want: 400},
		{name: "unknown kind", h: ok, body: append(AppendStart(nil), 9, 0, 0, 0, 0), want: 400},
		{name: "huge frame", h: ok, body: huge, want: 413},
		{name: "huge body", h: ok, body: make([]byte, MaxBody+1), want: 413},
		{name: "gzip bomb", h: ok, body: bomb.Bytes(), encoding: "gzip", want: 413},
		{name: "no gzip", h: ok, body: good, encoding: "gzip", want: 400},
		{name: "unknown encoding", h: ok, body: good, encoding: "br", want: 415},
		{name: "drops not taken", h: ok, body: drop, want: 400},
		{name: "full", h: full, body: good, want: 503},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/v1/spool", bytes.NewReader(tc.body))
			if !tc.noToken {
				withToken(r)
			}
			r.Header.Set("Content-Encoding", tc.encoding)
			w := httptest.NewRecorder()
			tc.h.ServeHTTP(w, r)
			if w.Code != tc.want {
				t.Fatalf("%d, want %d: %s", w.Code, tc.want, w.Body)
			}
			if (w.Code == 503) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			var p Problem
			if w.Code != 200 && (json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Status != tc.want || p.Title == "") {
				t.Errorf("body %s", w.Body)
			}
		})
	}
	w := httptest.NewRecorder()
	ok.ServeHTTP(w, httptest.NewRequest("GET", "/v1/spool", nil))
	if w.Code != 405 {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestClientErrors(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		retry  bool
	}{{503, "<html>bảo trì", true}, {502, "", true}, {429, "{}", true}, {413, "", false}, {401, "{}", false}} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}))
		err := (&Client{URL: web.URL}).Write(t.Context(), batch("a", 1, 0, 1))
		web.Close()
		var again *RetryError
		var status *StatusError
		if !errors.As(err, &status) || status.Problem.Status != tc.status || errors.As(err, &again) != tc.retry {
			t.Errorf("%d: %v", tc.status, err)
		}
		if tc.retry && again.After.Seconds() != 7 {
			t.Errorf("%d: after %v", tc.status, again.After)
		}
	}
}

func FuzzParse(f *testing.F) {
	one := AppendBatch(AppendStart(nil), batch("agent/7/a", 1, 0, 3))
	two, err := AppendDrop(one, spool.Drop{Source: "agent/7/a", Epoch: 1, First: 3, Last: 9, Reason: "đĩa đầy"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(one)
	f.Add(two)
	f.Add(AppendStart(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := parse(body)
		if err != nil {
			return
		}
		size := 0
		for _, it := range items {
			if it.source() == "" {
				t.Fatal("item without a source")
			}
			if it.batch == nil {
				continue
			}
			size += it.batch.Size()
			if _, err := parse(AppendBatch(AppendStart(nil), it.batch)); err != nil {
				t.Fatalf("what was accepted is refused when sent again: %v", err)
			}
		}
		if size > maxDecoded {
			t.Fatalf("%d bytes in memory", size)
		}
	})
}
