// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdmit(t *testing.T) {
	base := ranges{span: span{5, 100, 200}, Old: []span{{3, 0, 40}, {4, 10, 50}}, some: true}
	soft := base
	soft.Soft = true
	for _, tc := range []struct {
		name  string
		have  ranges
		in    span
		want  verdict
		from  uint64
		after span
		err   error
	}{
		{"unknown source begins anywhere", ranges{}, span{9, 70, 80}, accept, 70, span{9, 70, 80}, nil},
		{"goes on", base, span{5, 200, 230}, accept, 200, span{5, 100, 230}, nil},
		{"same again", base, span{5, 190, 200}, known, 0, span{5, 100, 200}, nil},
		{"all of it again", base, span{5, 100, 200}, known, 0, span{5, 100, 200}, nil},
		{"overlap is cut", base, span{5, 150, 201}, accept, 200, span{5, 100, 201}, nil},
		{"hole", base, span{5, 201, 210}, refused, 0, span{5, 100, 200},
			&ErrHole{Source: "a", Epoch: 5, First: 201, Last: 200}},
		{"hole after a loss of the stream", soft, span{5, 250, 260}, accept, 250, span{5, 100, 260}, nil},
		{"known after a loss of the stream", soft, span{5, 150, 200}, known, 0, span{5, 100, 200}, nil},
		{"before the first", base, span{5, 99, 150}, refused, 0, span{5, 100, 200},
			&ErrHole{Source: "a", Epoch: 5, First: 99, Last: 100, Early: true}},
		{"new epoch", base, span{6, 0, 10}, accept, 0, span{6, 0, 10}, nil},
		{"old epoch known", base, span{4, 10, 50}, known, 0, span{5, 100, 200}, nil},
		{"old epoch beyond", base, span{4, 40, 51}, refused, 0, span{5, 100, 200},
			&ErrEpoch{Source: "a", Epoch: 4, Current: 5, Last: 200}},
		{"old epoch before", base, span{4, 9, 20}, refused, 0, span{5, 100, 200},
			&ErrEpoch{Source: "a", Epoch: 4, Current: 5, Last: 200}},
		{"epoch never seen", base, span{2, 0, 1}, refused, 0, span{5, 100, 200},
			&ErrEpoch{Source: "a", Epoch: 2, Current: 5, Last: 200}},
		{"the largest numbers", base, span{1<<64 - 1, 1<<64 - 2, 1<<64 - 1}, accept, 1<<64 - 2,
			span{1<<64 - 1, 1<<64 - 2, 1<<64 - 1}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, from, after, err := tc.have.admit("a", tc.in)
			if v != tc.want || from != tc.from || after.span != tc.after {
				t.Errorf("got %v from %d after %v, want %v from %d after %v", v, from, after.span, tc.want, tc.from, tc.after)
			}
			if (err == nil) != (tc.err == nil) || err != nil && err.Error() != tc.err.Error() {
				t.Errorf("error %v, want %v", err, tc.err)
			}
			if v == accept && after.Soft {
				t.Error("still soft after a batch")
			}
		})
	}
}

func TestOldEpochsAreBounded(t *testing.T) {
	r := ranges{}
	for e := range uint64(30) {
		var err error
		if _, _, r, err = r.admit("a", span{e, 0, 10 + e}); err != nil {
			t.Fatal(err)
		}
	}
	var want []span
	for e := uint64(29 - oldEpochs); e < 29; e++ {
		want = append(want, span{e, 0, 10 + e})
	}
	if d := cmp.Diff(want, r.Old); d != "" {
		t.Error(d)
	}
	var over *ErrEpoch
	if _, _, _, err := r.admit("a", span{3, 0, 1}); !errors.As(err, &over) {
		t.Errorf("got %v", err)
	}
}
