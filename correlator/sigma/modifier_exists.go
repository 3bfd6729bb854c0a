// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierExists asks whether the event has the field, whatever its value: true or false is the only value.
func modifierExists(b *itemBuilder) error {
	if err := b.become(AtomExists); err != nil {
		return err
	}
	for _, v := range b.values {
		if v.kind != scalarBool {
			return v.refuse("needs true or false, not %s", v.what())
		}
		v.atoms = []Atom{{Kind: AtomExists, Want: v.truth}}
	}
	return nil
}
