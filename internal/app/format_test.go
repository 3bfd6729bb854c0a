// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/app/config"
)

// sample makes testdata/format-1.tar.gz anew, for a new format: keep those of the old ones, made by the programs that
// wrote them.
var sample = flag.Bool("sample", false, "make the sample data directory of this format")

func samplePath(version string) string { return filepath.Join("testdata", "format-"+version+".tar.gz") }

// TestFormat opens the sample of every format that this program must read, and refuses a newer one by name.
func TestFormat(t *testing.T) {
	if *sample {
		makeSample(t)
	}
	dir := filepath.Join(t.TempDir(), "data")
	made := unpack(t, samplePath("1"), dir)
	if x, err := Inspect(t.Context(), dir); err != nil || len(x.Findings) > 0 {
		t.Errorf("checking the sample: %v %v", x, err)
	}
	a, stop := startIn(t, dir, "builtin_rules: false\n")
	if n, _, err := a.alerts.Verify(t.Context()); err != nil || n < 1 {
		t.Errorf("%d entries of the alert log: %v", n, err)
	}
	if p, err := a.people.Person(t.Context(), "lan"); err != nil || p.Name != "Nguyễn Thị Lan" {
		t.Errorf("person %+v: %v", p, err)
	}
	entries := 0
	for _, err := range a.audit.Entries() {
		if err != nil {
			t.Error(err)
		}
		entries++
	}
	if entries == 0 {
		t.Error("the audit is empty")
	}
	if time.Since(made) < 300*24*time.Hour { // its events are kept for a year
		if c := contentOf(t, a); len(c.Events) < 5 {
			t.Errorf("%d events", len(c.Events))
		}
	}
	eventually(t, "the correlator", func() bool { return a.Progress().Correlated > 0 })
	stop()

	if err := os.WriteFile(filepath.Join(dir, "version"), []byte("2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(filepath.Join(dir, "..", "haidang.yml"), fmt.Appendf(nil, "data: %q\n", dir))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), `has format "2", this program reads 1: use the program that wrote it`) {
		t.Errorf("a newer format: %v", err)
	}
	if _, err := Inspect(t.Context(), dir); err == nil || !strings.Contains(err.Error(), `format "2"`) {
		t.Errorf("checking a newer format: %v", err)
	}
}

// makeSample has a server live for a few events and packs its directory.
func makeSample(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	a, stop := startIn(t, dir, fmt.Sprintf(backupConfig, writeRule(t, testRule)))
	if err := a.people.AddPerson(t.Context(), "sample", access.Person{ID: "lan", Name: "Nguyễn Thị Lan",
		Roles: []access.Role{access.Lead}}); err != nil {
		t.Fatal(err)
	}
	loaded := load(t, a)
	eventually(t, "events and an alert", func() bool {
		head, _ := a.alerts.Head()
		files, _ := filepath.Glob(filepath.Join(dir, "correlator", "full-*"))
		return a.store.Counts().Stored > 10 && head > 0 && len(files) == 2
	})
	loaded()
	stop()
	image, open, release, err := StoppedImage(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = release() }()
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(samplePath(format))
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for _, x := range image.Files {
		err = errors.Join(err, w.WriteHeader(&tar.Header{Name: x.Path, Size: x.Size, Mode: 0o600, ModTime: image.Made}))
		in, openErr := open(t.Context(), x, 0)
		if openErr != nil {
			t.Fatal(openErr)
		}
		_, copyErr := io.Copy(w, in)
		err = errors.Join(err, copyErr, in.Close())
	}
	if err := errors.Join(err, w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// unpack returns when the sample was made.
func unpack(t *testing.T, path, dir string) (made time.Time) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return made
		}
		if err != nil {
			t.Fatal(err)
		}
		made = h.ModTime
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
