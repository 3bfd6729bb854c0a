// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package corpora finds the data of others that tests compare with: SigmaHQ's rules, real log lines, datagrams of real
// exporters.
//
// It is not part of the repository and stands beside it, in ../shared/corpora, where there is one: a test that needs it
// is skipped elsewhere.
package corpora

import (
	"os"
	"path/filepath"
	"testing"
)

// Path is the path of a file or folder of the corpora. Without it the test is skipped.
func Path(tb testing.TB, elem ...string) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			tb.Skip("the tests do not run in the repository: there is no go.mod above them")
		}
		dir = up
	}
	path := filepath.Join(append([]string{filepath.Dir(dir), "shared", "corpora"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("%s is absent: it stands beside the repository, in ../shared/corpora", filepath.Join(elem...))
	}
	return path
}
