// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// from makes a folder and an image of it.
func from(t *testing.T, files map[string]string) (*Image, OpenFunc, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := List(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	open := func(_ context.Context, f File, offset int64) (io.ReadCloser, error) {
		in, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err == nil {
			_, err = in.Seek(offset, io.SeekStart)
		}
		return in, err
	}
	return &Image{ID: "1", Incarnation: "A", Data: "1", Files: list}, open, dir
}

var large = strings.Repeat("0123456789abcdef", 20000)

func TestCopyResumes(t *testing.T) {
	image, open, _ := from(t, map[string]string{"a/one": "1", "b/two": large, "c": "", "đơn vị/ba": "Sở Y tế"})
	to := filepath.Join(t.TempDir(), "to")
	cut := errors.New("cut off")
	var first []string
	_, err := Copy(t.Context(), CopyConfig{Image: image, To: to,
		Open: func(ctx context.Context, f File, offset int64) (io.ReadCloser, error) {
			first = append(first, f.Path)
			in, err := open(ctx, f, offset)
			if f.Path == "b/two" {
				return struct {
					io.Reader
					io.Closer
				}{io.MultiReader(io.LimitReader(in, 100000), failing{cut}), in}, err
			}
			return in, err
		}})
	if !errors.Is(err, cut) {
		t.Fatalf("cut off: %v", err)
	}
	if _, err := Verify(t.Context(), to, nil); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("verifying half a copy: %v", err)
	}
	offsets := map[string]int64{}
	var done, total int64
	m, err := Copy(t.Context(), CopyConfig{Image: image, To: to, Progress: func(d, n int64) {
		if d < done {
			t.Errorf("progress goes back from %d to %d", done, d)
		}
		done, total = d, n
	}, Open: func(ctx context.Context, f File, offset int64) (io.ReadCloser, error) {
		offsets[f.Path] = offset
		return open(ctx, f, offset)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if offsets["b/two"] != 100000 {
		t.Errorf("it went on in the file at %d", offsets["b/two"])
	}
	if _, again := offsets["a/one"]; again || done != total || total != m.Bytes() {
		t.Errorf("read again: %v; %d of %d bytes", offsets, done, total)
	}
	if _, err := Verify(t.Context(), to, nil); err != nil {
		t.Error(err)
	}
	out := t.TempDir()
	if err := Extract(t.Context(), to, out, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(out, "b", "two")); err != nil || string(data) != large {
		t.Errorf("%d bytes: %v", len(data), err)
	}
	if data, err := os.ReadFile(filepath.Join(out, "đơn vị", "ba")); err != nil || string(data) != "Sở Y tế" {
		t.Errorf("%q: %v", data, err)
	}
	if _, err := Copy(t.Context(), CopyConfig{Image: image, Open: open, To: to}); err == nil ||
		!strings.Contains(err.Error(), "finished backup") {
		t.Errorf("copying over a finished backup: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestCopyOtherImage: a later image keeps what is the same, takes the rest anew and removes what is gone.
func TestCopyOtherImage(t *testing.T) {
	image, open, dir := from(t, map[string]string{"a": "same", "b": "old", "c": "gone", "z": "late"})
	to := filepath.Join(t.TempDir(), "to")
	ctx, cut := context.WithCancel(t.Context())
	_, err := Copy(ctx, CopyConfig{Image: image, To: to, Open: func(ctx context.Context, f File, o int64) (io.ReadCloser, error) {
		if f.Path == "c" {
			cut()
		}
		return open(ctx, f, o)
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "b"), time.Time{}, time.Unix(5, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	next := &Image{ID: "2", Incarnation: "A", Data: "1"}
	if next.Files, err = List(dir, nil); err != nil {
		t.Fatal(err)
	}
	foreign := *next
	foreign.Incarnation = "B"
	if _, err := Copy(t.Context(), CopyConfig{Image: &foreign, Open: open, To: to}); err == nil ||
		!strings.Contains(err.Error(), "another server") {
		t.Errorf("going on from another server: %v", err)
	}
	var read []string
	if _, err := Copy(t.Context(), CopyConfig{Image: next, To: to,
		Open: func(ctx context.Context, f File, o int64) (io.ReadCloser, error) {
			read = append(read, f.Path)
			return open(ctx, f, o)
		}}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(read, " "); got != "b z" {
		t.Errorf("read %q", got)
	}
	if _, err := os.Stat(filepath.Join(to, dataName, "c")); err == nil {
		t.Error("what is gone is still there")
	}
	if data, _ := os.ReadFile(filepath.Join(to, dataName, "b")); string(data) != "new" {
		t.Errorf("b is %q", data)
	}
}

// TestVerify changes, cuts and removes: each is found before anything is believed.
func TestVerify(t *testing.T) {
	image, open, _ := from(t, map[string]string{"a": "one", "b": large})
	change := func(name string, f func(path string) error) {
		to := filepath.Join(t.TempDir(), "to")
		if _, err := Copy(t.Context(), CopyConfig{Image: image, Open: open, To: to}); err != nil {
			t.Fatal(err)
		}
		if err := f(to); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(t.Context(), to, nil); err == nil {
			t.Errorf("%s: it verifies", name)
		}
	}
	change("a byte", func(to string) error {
		return os.WriteFile(filepath.Join(to, "data", "a"), []byte("onf"), 0o600)
	})
	change("an end", func(to string) error { return os.Truncate(filepath.Join(to, "data", "b"), 5) })
	change("a file", func(to string) error { return os.Remove(filepath.Join(to, "data", "a")) })
	change("the manifest", func(to string) error {
		path := filepath.Join(to, manifestName)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, bytes.Replace(data, []byte(`"A"`), []byte(`"B"`), 1), 0o600)
	})
}

// TestPaths: a list of files from outside leads nowhere else.
func TestPaths(t *testing.T) {
	for _, path := range []string{"../a", "/etc/passwd", "a/../../b", ""} {
		image := &Image{ID: "1", Files: []File{{Path: path}}}
		if _, err := Copy(t.Context(), CopyConfig{Image: image, To: filepath.Join(t.TempDir(), "to")}); err == nil {
			t.Errorf("%q was copied", path)
		}
	}
	x := &Images{Dir: t.TempDir(), Take: func(_ context.Context, dir string, m *Image) error {
		return os.WriteFile(filepath.Join(dir, "a"), []byte("1"), 0o600)
	}}
	m, err := x.Make(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := x.Make(t.Context(), m.ID); err != nil || again.ID != m.ID {
		t.Errorf("the image of a copy that was cut off: %v %v", again, err)
	}
	for _, bad := range [][2]string{{"..", "a"}, {m.ID, "../" + m.ID + ".json"}, {m.ID, "b"}, {"", "a"}, {m.ID + "/..", "a"}} {
		if f, err := x.Open(bad[0], bad[1]); !errors.Is(err, ErrNoImage) {
			t.Errorf("opened %q of %q: %v", bad[1], bad[0], err)
			f.Close()
		}
	}
	for range 3 {
		if _, err := x.Make(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Open(m.ID, "a"); !errors.Is(err, ErrNoImage) {
		t.Errorf("old images are kept: %v", err)
	}
	list, err := os.ReadDir(x.Dir)
	if err != nil || len(list) != 2*keepImages {
		t.Errorf("%d entries: %v", len(list), err)
	}
}
