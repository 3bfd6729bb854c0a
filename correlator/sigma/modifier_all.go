// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierAll asks for every value instead of any.
func modifierAll(b *itemBuilder) error {
	b.item.All = true
	return nil
}
