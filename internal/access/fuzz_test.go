// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzAudit: a file of any content is refused or goes on, and what goes on holds exactly its whole lines.
func FuzzAudit(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte(`{"seq":1,"at":"2026-11-24T02:10:00Z","actor":"an","action":"x","ok":true,"prev":""}` + "\n"))
	f.Add([]byte(`{"seq":1,"at":"2026-11-24T02:10:00Z","actor":"Nguyễn","action":"x","ok":true,"prev":""}` + "\n{\"se"))
	f.Add([]byte("{}\n"))
	f.Add([]byte("\n\n"))
	f.Add([]byte(`{"seq":1,"prev":""}` + "\n" + `{"seq":2,"prev":"0"}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "audit")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := OpenAudit(path, nil)
		if err != nil {
			return
		}
		defer a.Close()
		want := bytes.Count(data, []byte("\n"))
		if want > 0 && !bytes.HasSuffix(data, []byte("\n")) || want == 0 && len(data) > 0 {
			want++ // the repair
		}
		got := 0
		for _, err := range a.Entries() {
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		if got != want {
			t.Errorf("%d entries of %q, want %d", got, data, want)
		}
	})
}

// FuzzAuditEntry: whatever is said in an entry, the next start reads the chain, and one line is one entry.
func FuzzAuditEntry(f *testing.F) {
	f.Add("an", "person.add", "Nguyễn Văn An\nNguye\u0302\u0303n")
	f.Add("\xff\xfe", "\"}\n{\"seq\":2", string(make([]byte, maxEntry)))
	f.Add("\u2028", "<script>", "\r\n\x00")
	f.Fuzz(func(t *testing.T, actor, action, detail string) {
		path := filepath.Join(t.TempDir(), "audit")
		for i := range 2 {
			a, err := OpenAudit(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Append(Entry{At: time.Unix(1, 0), Actor: actor, Action: action, Detail: detail}); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, err := range a.Entries() {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if n != i+1 {
				t.Errorf("%d entries after %d", n, i+1)
			}
			a.Close()
		}
	})
}

// FuzzSecret: no text but the one issued is taken for a token.
func FuzzSecret(f *testing.F) {
	const id, plain = "0123456789ab", "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I"
	text, hash := tokenPrefix+id+"_"+plain, hashOf(plain)
	f.Add(text)
	f.Add(tokenPrefix + id + "_")
	f.Add(tokenPrefix + id + "_" + hash)
	f.Add(tokenPrefix + "_")
	f.Add(text + "_")
	tok := Token{ID: id, Hash: hash}
	f.Fuzz(func(t *testing.T, s string) {
		gotID, secret, ok := splitSecret(s)
		if ok && (gotID == "" || secret == "") {
			t.Errorf("%q: an empty part", s)
		}
		if accepted := ok && gotID == id && tok.holds(secret); accepted != (s == text) {
			t.Errorf("%q: accepted %v", s, accepted)
		}
	})
}
