// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/haidang-soc/haidang/internal/alert"
)

func newLetter(n byte, entry uint64, change alert.Kind) *letter {
	l := &letter{
		Alert: alert.ID{n}, Entry: entry, Update: uint32(entry), Change: change, Made: 1, Since: 1,
		State: json.RawMessage(fmt.Sprintf(`{"alert":{"id":"%s","rule":{"title":"Dò mật khẩu"}},"status":"open"}`, alert.ID{n})),
	}
	if !change.Emission() {
		l.Action = &alert.Action{Kind: change, Alert: l.Alert}
	}
	return l
}

func mustOpen(t testing.TB, path string) *outbox {
	t.Helper()
	o, err := openOutbox(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// picture is what an outbox must be the same in after it was read back.
type picture struct {
	Cursor  uint64
	Waiting map[alert.ID][]pictured
	Dead    map[uint64]pictured
	Refs    map[alert.ID]string
}

type pictured struct {
	Seq, Entry uint64
	Tries      int
	Tried      bool
	Next       int64
	Error      string
	Prior      Receipt
	Change     alert.Kind
}

func (o *outbox) picture() picture {
	p := picture{o.cursor, map[alert.ID][]pictured{}, map[uint64]pictured{}, map[alert.ID]string{}}
	of := func(it *item) pictured {
		return pictured{
			it.seq, it.letter.Entry, it.tries, it.tried || it.flying, it.next, it.err, it.prior, it.letter.Change,
		}
	}
	for id, q := range o.waiting {
		for _, it := range q.items {
			p.Waiting[id] = append(p.Waiting[id], of(it))
		}
	}
	for seq, it := range o.dead {
		p.Dead[seq] = of(it)
	}
	for id, r := range o.refs {
		p.Refs[id] = r.receipt.Ref
	}
	return p
}

// TestOutboxReadsBackWhatItWas makes one of everything that can be in an outbox, then compares it with what a new
// program reads, before and after compaction, and with a try under way.
func TestOutboxReadsBackWhatItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ndjson")
	o := mustOpen(t, path)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	next := func(now int64) *item {
		t.Helper()
		it, _, _, err := o.take(now)
		must(err)
		if it == nil {
			t.Fatal("nothing to take")
		}
		return it
	}
	for i := byte(1); i <= 6; i++ {
		must(o.add(newLetter(i, uint64(i), alert.Raised)))
	}
	must(o.done(next(10), Receipt{Ref: "C1:1", State: Done}, 10))
	must(o.bury(next(10), "no such channel", 10))
	must(o.postpone(next(10), &record{Next: 500, Error: "busy"}))
	must(o.postpone(next(10), &record{Next: 400, Error: "slow down", Refused: true}))
	must(o.postpone(next(10), &record{Next: 300, Receipt: &Receipt{Ref: "t", State: Pending}}))
	next(10) // number 6 is under way
	must(o.add(newLetter(3, 7, alert.Comment)))
	must(o.add(newLetter(3, 8, alert.Updated))) // takes the place of the one that waits
	must(o.add(newLetter(6, 9, alert.Updated))) // cannot take the place of the one under way
	must(o.skip(10))
	must(o.add(newLetter(7, 11, alert.Close)))
	if ok, err := o.cancel(alert.ID{7}, 11, 12); !ok || err != nil {
		t.Fatalf("cancel: %v, %v", ok, err)
	}
	if ok, err := o.cancel(alert.ID{6}, 6, 13); ok || err != nil {
		t.Fatalf("an emission was cancelled: %v, %v", ok, err)
	}
	want := o.picture()
	compare := func(when string) {
		t.Helper()
		again := mustOpen(t, path)
		sorted := cmpopts.SortSlices(func(a, b pictured) bool { return a.Seq < b.Seq })
		if diff := cmp.Diff(want, again.picture(), sorted); diff != "" {
			t.Errorf("%s (-was +read):\n%s", when, diff)
		}
		must(again.close())
	}
	compare("before compaction")
	must(o.compact(time.Unix(0, 20)))
	compare("after compaction")
	must(o.add(newLetter(8, 20, alert.Raised)))
	want = o.picture()
	compare("after compaction and one more")
	must(o.close())
}

// A try that was cut off stays unclear, even when a later one is refused for certain.
func TestACutOffTryStaysUnclear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ndjson")
	o := mustOpen(t, path)
	if err := o.add(newLetter(1, 1, alert.Raised)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, _, err := o.take(1); err != nil {
			t.Fatal(err)
		}
		o = mustOpen(t, path) // killed during the try
		it, _, _, err := o.take(2)
		if err != nil || !it.tried {
			t.Fatalf("%+v, %v", it, err)
		}
		if err := o.postpone(it, &record{Refused: true}); err != nil {
			t.Fatal(err)
		}
		o = mustOpen(t, path)
		if got := o.prior(o.waiting[alert.ID{1}].items[0]); got.State != Unknown {
			t.Errorf("after a refusal the cut-off try is forgotten: %+v", got)
		}
	}
}

func TestOutboxIgnoresWhatItHas(t *testing.T) {
	o := mustOpen(t, filepath.Join(t.TempDir(), "x.ndjson"))
	for _, entry := range []uint64{1, 2, 2, 1} {
		if err := o.add(newLetter(byte(entry), entry, alert.Raised)); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.waiting) != 2 || o.position() != 2 {
		t.Errorf("%d wait, cursor %d; want 2 and 2", len(o.waiting), o.position())
	}
}

func TestOutboxStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ndjson")
	o := mustOpen(t, path)
	for i := range uint64(300) {
		l := newLetter(byte(i%3+1), i+1, alert.Raised)
		l.State = json.RawMessage(`{"alert":{"query":"` + strings.Repeat("a", 2000) + `"}}`)
		if err := o.add(l); err != nil {
			t.Fatal(err)
		}
		it, _, _, err := o.take(1000)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.done(it, Receipt{Ref: "C1:1", State: Done}, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if o.base == 0 || o.journal.size > compactFrom {
		t.Errorf("%d bytes although nothing waits", o.journal.size)
	}
	again := mustOpen(t, path)
	if again.position() != 300 || len(again.refs) != 3 || len(again.waiting) != 0 {
		t.Errorf("read back: cursor %d, %d refs, %d wait", again.position(), len(again.refs), len(again.waiting))
	}
}

func TestDamageInTheMiddleIsCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ndjson")
	o := mustOpen(t, path)
	for i := byte(1); i <= 3; i++ {
		if err := o.add(newLetter(i, uint64(i), alert.Raised)); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(data, []byte(alert.ID{2}.String()))
	data[i] = '7'
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	o = mustOpen(t, path)
	if o.damaged != 1 || len(o.waiting) != 2 {
		t.Errorf("%d damaged, %d wait; want 1 and 2", o.damaged, len(o.waiting))
	}
}

// TestEveryCut reads every part of a file that a crash may leave: never an error, never a damaged line, and always
// all whole lines.
func TestEveryCut(t *testing.T) {
	data := sampleJournal(t)
	for cut := range len(data) + 1 {
		lines := 0
		good, damaged, err := readLines(bytes.NewReader(data[:cut]), func(*record) { lines++ })
		if err != nil || damaged != 0 || lines != bytes.Count(data[:cut], []byte("\n")) {
			t.Fatalf("cut at %d: %d lines, %d damaged, %v", cut, lines, damaged, err)
		}
		if whole := int64(bytes.LastIndexByte(data[:cut], '\n') + 1); good != whole {
			t.Fatalf("cut at %d: good up to %d, want %d", cut, good, whole)
		}
	}
}

func sampleJournal(t testing.TB) []byte {
	t.Helper()
	var data []byte
	for _, r := range []*record{
		{Op: opCursor, Cursor: 3},
		{Op: opAdd, Seq: 1, Cursor: 4, Letter: newLetter(1, 4, alert.Raised)},
		{Op: opTry, Seq: 1, At: 5},
		{Op: opWait, Seq: 1, Next: 9, Error: "bận: thử lại sau"},
		{Op: opAdd, Seq: 2, Replaces: 1, Cursor: 5, Letter: newLetter(1, 5, alert.Updated)},
		{Op: opDead, Seq: 2, At: 5, Error: "không có kênh"},
		{Op: opRevive, Seq: 2, At: 6},
		{Op: opDone, Seq: 2, At: 5, Receipt: &Receipt{Ref: "C1:2", State: Done, Answer: []byte("ok")}},
		{Op: opRef, Alert: alert.ID{1}, At: 5, Receipt: &Receipt{Ref: "C1:2", State: Done}},
		{Op: opDrop, Seq: 2},
	} {
		var err error
		if data, err = appendLine(data, r); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func FuzzOutbox(f *testing.F) {
	data := sampleJournal(f)
	f.Add(data, false)
	f.Add(data[:len(data)-20], false)
	for line := range bytes.Lines(data) {
		f.Add(line[len(linePrefix)+8+len(lineMiddle):len(line)-len(lineSuffix)], true)
	}
	f.Fuzz(func(t *testing.T, data []byte, sealed bool) {
		if sealed { // the body of a line, with a checksum that fits
			body := bytes.ReplaceAll(data, []byte("\n"), nil)
			line := append([]byte(linePrefix), fmt.Sprintf("%x", checksum(body))...)
			data = append(append(append(line, lineMiddle...), body...), lineSuffix...)
		}
		read := func(data []byte) (*outbox, int64) {
			t.Helper()
			var good int64
			o, err := load(func(line func(*record)) (err error) {
				good, _, err = readLines(bytes.NewReader(data), line)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return o, good
		}
		o, good := read(data)
		if good < 0 || good > int64(len(data)) {
			t.Fatalf("good up to %d of %d bytes", good, len(data))
		}
		if cut, _ := read(data[:good]); !cmp.Equal(o.picture(), cut.picture()) {
			t.Error("cutting the torn tail off changes what is read")
		}
		for _, q := range o.waiting {
			q.candidate(1 << 62)
		}
		var written []byte
		for _, r := range o.records(time.Unix(0, 0)) {
			var err error
			if written, err = appendLine(written, r); err != nil {
				t.Fatal(err)
			}
		}
		again, _ := read(written)
		if diff := cmp.Diff(o.picture(), again.picture(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("compaction changes what is read (-was +read):\n%s", diff)
		}
	})
}
