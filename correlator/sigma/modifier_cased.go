// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierCased compares letter case too.
func modifierCased(b *itemBuilder) error {
	b.cased = true
	return b.each(func(p Pattern) ([]Pattern, error) { return []Pattern{p}, nil })
}
