// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haidang-soc/haidang/internal/event"
)

var update = flag.Bool("update", false, "write testdata/*.golden.ndjson anew")

// logs returns the paths of the golden inputs.
func logs(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.log")
	if err != nil || len(paths) < 10 {
		t.Fatalf("testdata holds %d logs: %v", len(paths), err)
	}
	return paths
}

// logLines returns the lines of one golden input.
func logLines(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestGolden(t *testing.T) {
	for _, path := range logs(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".log"), func(t *testing.T) {
			in, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err = Render(context.Background(), RenderConfig{Set: New(Config{}), In: bytes.NewReader(in), Out: &out,
				Name: "golden", Now: received, JSON: true})
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".log") + ".golden.ndjson"
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			lines, wantLines := strings.Split(out.String(), "\n"), strings.Split(string(want), "\n")
			if len(lines) != len(wantLines) {
				t.Errorf("%d documents, want %d", len(lines)-1, len(wantLines)-1)
			}
			for i := range min(len(lines), len(wantLines)) {
				if diff := cmp.Diff(wantLines[i], lines[i]); diff != "" {
					t.Errorf("line %d differs (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}

// TestFieldTypes wants every field of every golden event to be in the field table with its type, or under names that
// may hold anything.
func TestFieldTypes(t *testing.T) {
	for _, path := range logs(t) {
		for _, line := range logLines(t, path) {
			checkTypes(t, decodeOne(t, line), line)
		}
	}
}

func checkTypes(t testing.TB, e event.Event, line string) {
	t.Helper()
	for id, v := range e.Fields() {
		name := id.Name()
		if strings.HasPrefix(name, "haidang.extra") || strings.HasPrefix(name, "log.syslog.structured_data.") {
			continue
		}
		want := id.Type()
		if want == event.None {
			t.Errorf("%s is no ECS field and not under haidang: %q", name, line)
			continue
		}
		got := v.Kind()
		if id.IsList() != (got == event.List) {
			t.Errorf("%s is %v, and the table says list = %v: %q", name, got, id.IsList(), line)
			continue
		}
		if got == event.List {
			got = v.At(0).Kind()
		}
		if got != want {
			t.Errorf("%s is %v, want %v: %q", name, got, want, line)
		}
	}
}

// TestNormalForm wants the same fields from a line in NFC and the same line in NFD.
func TestNormalForm(t *testing.T) {
	pairs := [][2]string{
		{"nguy\u1ec5n", "nguye\u0302\u0303n"},
		{"h\u1ed3 s\u01a1", "ho\u0302\u0300 so\u031b"},
		{"\u0110\u1eb7ng Th\u1ecb \u00c1nh", "\u0110a\u0323\u0306ng Thi\u0323 A\u0301nh"},
	}
	lines := []string{
		"<38>Nov 24 09:10:01 dvc sshd[8]: Failed password for invalid user @@ from 203.0.113.9 port 40024 ssh2",
		"<38>Nov 24 09:10:01 dvc sudo: lan : TTY=pts/0 ; PWD=/home/@@ ; USER=root ; COMMAND=/bin/cat @@",
		"203.0.113.9 - - [24/Nov/2026:09:14:00 +0700] \"GET /@@/a?q=@@ HTTP/1.1\" 200 1 \"-\" \"@@\"",
		"<13>Nov 24 09:18:00 may app: @@",
		"<134>Nov 24 09:17:00 may app: user=\"@@\" src=203.0.113.9 action=login",
		"<134>Nov 24 09:17:00 may app: {\"user\":\"@@\",\"x\":{\"@@\":\"@@\"}}",
		"date=2026-11-24 time=09:15:00 logid=\"0100032001\" type=\"event\" subtype=\"system\" vd=\"root\" user=\"@@\"",
		"<166>Nov 24 2026 09:16:00 asa : %ASA-6-113012: AAA user authentication Successful : local database : user = @@",
	}
	for _, p := range pairs {
		if p[0] == p[1] {
			t.Fatalf("%q: both forms are the same", p[0])
		}
		for _, line := range lines {
			composed := decodeOne(t, strings.ReplaceAll(line, "@@", p[0]))
			decomposed := decodeOne(t, strings.ReplaceAll(line, "@@", p[1]))
			for id, v := range composed.Fields() {
				if id == event.EventOriginal {
					continue
				}
				if w, _ := decomposed.Get(id); w.String() != v.String() {
					t.Errorf("%s = %q composed, %q decomposed: %s", id.Name(), v.String(), w.String(), line)
				}
			}
		}
	}
}
