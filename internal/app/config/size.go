// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units are what a size may end with; none is bytes.
var units = [...]struct {
	name  string
	shift uint
}{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}

// size reads a number of bytes: every int64 of the configuration is one.
func size(n *int64, text []byte) error {
	s := strings.Trim(strings.TrimSpace(string(text)), `"'`)
	shift := uint(0)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, shift = strings.TrimSpace(rest), u.shift
		}
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 || v > math.MaxInt64>>shift {
		return &sizeError{string(text)}
	}
	*n = v << shift
	return nil
}

// sizeError says that a text is no size; the library does not say where it stands.
type sizeError struct{ text string }

// Error says what to write instead.
func (e *sizeError) Error() string {
	return fmt.Sprintf("%q is no size: write bytes, or a number with KiB, MiB, GiB or TiB", e.text)
}

// in names the first line of the file whose value is the text.
func (e *sizeError) in(path string, data []byte) error {
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if _, value, ok := strings.Cut(line, ":"); ok && strings.HasPrefix(strings.TrimSpace(value), e.text) {
			return fmt.Errorf("%s:%d: %w", path, n, e)
		}
	}
	return fmt.Errorf("%s: %w", path, e)
}
