// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// Document is one parsed YAML document: exactly one of the two is set.
type Document struct {
	Rule        *Rule
	Correlation *Correlation
}

// Parse reads every document of a file. What it cannot accept is in the refusals, one for each document; the others
// are returned all the same. file is only used for positions.
func Parse(file string, data []byte) ([]Document, []Refusal) {
	return nil, nil
}
