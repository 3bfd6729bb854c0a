// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierContains looks for the value anywhere in the field.
func modifierContains(b *itemBuilder) error {
	if b.kind == AtomFieldRef {
		return b.refPart(RefContains)
	}
	return b.each(func(p Pattern) ([]Pattern, error) {
		return []Pattern{openEnd(openStart(p))}, nil
	})
}

// openStart puts a wildcard before the pattern.
func openStart(p Pattern) Pattern {
	if len(p) > 0 && p[0].Wildcard == AnyMany {
		return p
	}
	return append(Pattern{{Wildcard: AnyMany}}, p...)
}

// openEnd puts a wildcard after the pattern.
func openEnd(p Pattern) Pattern {
	return append(Pattern(nil), p...).many()
}
