// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinks

import "os"

// Inspect reads an outbox that nobody has open and changes nothing. It returns how many lines are whole, and how many
// before the last whole one are damaged: a line that a crash cut short at the end is not counted.
func Inspect(path string) (lines, damaged int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	_, damaged, err = readLines(f, func(*record) { lines++ })
	return lines, damaged, err
}
