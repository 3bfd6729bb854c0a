// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package parent

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/safefile"
)

// tooMany ends within window start the child degraded.
const (
	tooMany = 3
	window  = 10 * time.Minute
)

// recent returns the ends within the window. A file that cannot be read says nothing.
func recent(path string, now time.Time) (list []time.Time) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(lines.Text()))
		if err == nil && now.Sub(t) < window && !t.After(now) {
			list = append(list, t)
		}
	}
	return list
}

// record adds an end and drops those that are outside the window.
func record(path string, now time.Time) error {
	var b strings.Builder
	for _, t := range append(recent(path, now), now) {
		b.WriteString(t.UTC().Format(time.RFC3339Nano) + "\n")
	}
	if err := safefile.Write(path, []byte(b.String()), 0o640); err != nil {
		return fmt.Errorf("parent: recording an end: %w", err)
	}
	return nil
}
