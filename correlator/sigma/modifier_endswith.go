// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierEndsWith looks for the value at the end of the field.
func modifierEndsWith(b *itemBuilder) error {
	if b.kind == AtomFieldRef {
		return b.refPart(RefEndsWith)
	}
	return b.each(func(p Pattern) ([]Pattern, error) { return []Pattern{openStart(p)}, nil })
}
