// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "regexp"

// modifierExpand stands before values with placeholders (%Administrators%). There is no list of values for any of them
// yet, so a value that has one is refused, as the specification asks; a value without is left as it is.
func modifierExpand(b *itemBuilder) error {
	placeholder := regexp.MustCompile(`%\w+%`)
	return b.each(func(p Pattern) ([]Pattern, error) {
		if name := placeholder.FindString(p.String()); name != "" {
			return nil, Refusal{Reason: "the placeholder " + name + " has no values here; write them into the rule"}
		}
		return []Pattern{p}, nil
	})
}
