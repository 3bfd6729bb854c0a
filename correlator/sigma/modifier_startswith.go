// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierStartsWith looks for the value at the start of the field.
func modifierStartsWith(b *itemBuilder) error {
	if b.kind == AtomFieldRef {
		return b.refPart(RefStartsWith)
	}
	return b.each(func(p Pattern) ([]Pattern, error) { return []Pattern{openEnd(p)}, nil })
}
