// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/haidang-soc/haidang/internal/spool"
)

// FuzzAnswer: whatever a cluster or a proxy answers, no document is taken as stored, known or dead without a status
// that says so.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"a","reason":"b"}}}]}`))
	f.Add([]byte(`{"items":[{},{"create":{"status":400,"error":null}}]}`))
	f.Add([]byte(`{"items":[{"create":{"status":503}},{"index":{"status":429,"error":{"caused_by":{"type":"đầy"}}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var answer bulkAnswer
		if json.Unmarshal(data, &answer) != nil || len(answer.Items) == 0 || len(answer.Items) > 100 {
			return
		}
		dead, err := openDead(t.TempDir(), 1<<20, spool.Cursor{})
		if err != nil {
			t.Fatal(err)
		}
		defer dead.close()
		s := &Store{dead: dead}
		b := &bulk{body: []byte("{}\n{}\n")}
		items := make([]item, len(answer.Items))
		for i := range items {
			items[i] = item{id: string(rune('a' + i)), doc: 3, to: 6}
		}
		left, _, err := s.sort(b, items, &answer)
		n := s.counts.stored.Load() + s.counts.known.Load() + s.counts.dead.Load()
		if int(n)+len(left) != len(items) {
			t.Errorf("%d decided, %d left of %d", n, len(left), len(items))
		}
		for i, a := range answer.Items {
			if len(a) == 0 && err == nil {
				t.Errorf("document %d has no answer, and there is no error", i)
			}
		}
	})
}

// FuzzState: a damaged cursor file is refused, a sound one read as it was written.
func FuzzState(f *testing.F) {
	f.Add([]byte(stateHead+"\ncursor 0:ABC:7\nsent 9\ncrc32c 00000000\n"), uint64(7), uint64(9))
	f.Add([]byte{}, uint64(0), uint64(1<<63))
	f.Fuzz(func(t *testing.T, data []byte, seq, sent uint64) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "cursor"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = readState(dir)
		want := stateFile{spool.NewCursor(spool.Mark{Incarnation: "X", Seq: seq}), sent}
		if err := want.write(dir); err != nil {
			t.Fatal(err)
		}
		got, err := readState(dir)
		if err != nil || !got.cursor.Equal(want.cursor) || got.sent != sent {
			t.Errorf("read %+v, %v; want %+v", got, err, want)
		}
	})
}
