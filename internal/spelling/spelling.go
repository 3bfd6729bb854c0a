// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package spelling measures how far a word is from the one that was meant, for hints in errors.
//
// It is for the keys of files that people write: how far still counts as a slip is for who asks to say.
package spelling

// longest is the longest word in bytes that is measured: the work grows with the square.
const longest = 64

// Distance is Levenshtein's, in bytes. A longer word than 64 bytes is as far from everything as that.
func Distance(a, b string) int {
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
