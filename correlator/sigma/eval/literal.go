// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import "regexp/syntax"

// minLiteral is the shortest text worth looking for before a regular expression runs.
const minLiteral = 3

// requiredLiteral returns a text that every match of a regular expression contains, letter case aside; "" when none of
// at least minLiteral bytes was found.
func requiredLiteral(text string) string {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return ""
	}
	if lit := longestLiteral(re.Simplify()); len(lit) >= minLiteral {
		return lit
	}
	return ""
}

func longestLiteral(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return longestLiteral(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return longestLiteral(re.Sub[0])
		}
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if lit := longestLiteral(sub); len(lit) > len(best) {
				best = lit
			}
		}
		return best
	}
	return ""
}
