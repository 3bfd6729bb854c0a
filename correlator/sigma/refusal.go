// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"strings"
)

// Pos is a place in a rule file. Line and Column count from 1; 0 is unknown.
type Pos struct {
	File   string
	Line   int
	Column int
}

// String returns file:line, or the file alone where the line is unknown.
func (p Pos) String() string {
	if p.Line <= 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Refusal says why a document was not accepted. It is an error; its text is one line.
type Refusal struct {
	Pos
	// Rule is the id of the refused document, else its title, else empty.
	Rule string
	// Reason says what is wrong and, where it can, the cure.
	Reason string
}

// Error returns file:line: rule: reason on one line.
func (r Refusal) Error() string {
	var b strings.Builder
	b.WriteString(r.Pos.String())
	b.WriteString(": ")
	if r.Rule != "" {
		b.WriteString(r.Rule)
		b.WriteString(": ")
	}
	b.WriteString(r.Reason)
	return strings.Join(strings.Fields(b.String()), " ")
}
