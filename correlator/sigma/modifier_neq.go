// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierNotEqual turns the whole item around: the field is different from the values, or absent.
func modifierNotEqual(b *itemBuilder) error {
	b.item.Negate = true
	return nil
}
