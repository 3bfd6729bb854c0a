// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/internal/backup"
	"github.com/haidang-soc/haidang/internal/safefile"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/elastic"
	"github.com/haidang-soc/haidang/internal/store/local"
)

// restoringFile marks a directory into which a restore was begun and not finished.
const restoringFile = "restoring"

// RestoreConfig says what is brought back, and where to.
type RestoreConfig struct {
	From, To string // folder of the backup; data directory, empty or not there
	// Verifying and Copying are told how far each is.
	Verifying, Copying backup.Progress
}

// Restored is what a restore did.
type Restored struct {
	Manifest *backup.Manifest
	Was, Now spool.Incarnation // of the stream
	At       spool.Cursor      // of the newest state of the correlator
}

// Restore brings a backup back into an empty directory, after it has verified every byte. The stream gets another
// incarnation, and what reads it in this directory with it: readers elsewhere that knew the original refuse it by name,
// since from here on the same positions hold other records. Listeners number what they take anew, above every number
// that the original gave.
func Restore(ctx context.Context, c RestoreConfig) (*Restored, error) {
	entries, err := os.ReadDir(c.To)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(c.To, restoringFile)); err == nil {
			return nil, fmt.Errorf("restore: an earlier restore into %s was cut off: remove what is in it, and restore again",
				c.To)
		}
		return nil, fmt.Errorf("restore: %s is not empty: name an empty folder, or move away what is in it", c.To)
	}
	m, err := backup.Verify(ctx, c.From, c.Verifying)
	if err != nil {
		return nil, err
	}
	if m.Data != format {
		return nil, fmt.Errorf("restore: the backup has data of format %q, this program reads %s: use the program that "+
			"made it (%s)", m.Data, format, m.Program)
	}
	if err := os.MkdirAll(c.To, 0o750); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	mark := filepath.Join(c.To, restoringFile)
	if err := safefile.Write(mark, []byte(m.ID+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if err := backup.Extract(ctx, c.From, c.To, c.Copying); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(filepath.Join(c.To, "listeners")); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	r := &Restored{Manifest: m}
	if err := r.rename(ctx, c.To); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return r, os.Remove(mark)
}

// rename gives the stream in dir another incarnation, with all that keeps a place in it.
func (r *Restored) rename(ctx context.Context, dir string) (err error) {
	srv, err := spool.OpenServer(spool.ServerConfig{Dir: dir, Reserve: -1})
	if err != nil {
		return err
	}
	r.Was, r.Now, err = spool.RenameStream(ctx, srv, spoolStream)
	if err = errors.Join(err, srv.Close()); err != nil {
		return err
	}
	if err := local.Rename(filepath.Join(dir, "store"), r.Was, r.Now); err != nil {
		return err
	}
	if err := elastic.Rename(filepath.Join(dir, "elastic"), r.Was, r.Now); err != nil {
		return err
	}
	saver := &correlator.Checkpointer{Dir: filepath.Join(dir, "correlator")}
	r.At, err = saver.Rename(r.Was, r.Now)
	return err
}

// StoppedImage is the data directory of a server that does not run, as an image that is copied from where it is; it is
// locked until release is called.
func StoppedImage(dir string) (m *backup.Image, open backup.OpenFunc, release func() error, err error) {
	lock, err := lockStopped(dir)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "store")); err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("backup: the index is not in %s: start the server and back it up while "+
			"it runs, which knows where the index is", dir), lock.Close())
	}
	m = &backup.Image{ID: "stopped", Made: time.Now().UTC(), Program: buildVersion(), Data: format}
	m.Incarnation = incarnation(dir)
	m.Files, err = backup.List(dir, func(path string) bool {
		switch path {
		case "backup", "ends", restoringFile, "listeners":
			return true
		}
		return filepath.Base(path) == "lock" || strings.HasSuffix(path, safefile.Suffix)
	})
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("backup: %w", err), lock.Close())
	}
	open = func(_ context.Context, f backup.File, offset int64) (io.ReadCloser, error) {
		in, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil {
			return nil, err
		}
		_, err = in.Seek(offset, io.SeekStart)
		return in, err
	}
	return m, open, lock.Close, nil
}

// lockStopped locks an existing data directory that no server uses.
func lockStopped(dir string) (*os.File, error) {
	data, err := os.ReadFile(filepath.Join(dir, "version"))
	if err != nil {
		return nil, fmt.Errorf("%s is no data directory of haidang: %w", dir, err)
	}
	if err := checkFormat(dir, strings.TrimSpace(string(data))); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("data directory: %s is in use by a running haidang: stop it first", dir)
	}
	return lock, nil
}

// incarnation reads that of the spool's stream from what the embedded server keeps of it; empty when it cannot.
func incarnation(dir string) string {
	var meta struct {
		Metadata map[string]string `json:"metadata"`
	}
	data, err := os.ReadFile(filepath.Join(dir, streamsDir, spoolStream, "meta.inf"))
	if err != nil || json.Unmarshal(data, &meta) != nil {
		return ""
	}
	return meta.Metadata["haidang-incarnation"]
}

// buildVersion is the version of the program.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}
