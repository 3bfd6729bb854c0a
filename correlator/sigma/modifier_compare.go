// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifierCompare compares the field as a number: lt, lte, gt, gte.
func modifierCompare(op Operator) modifier {
	return func(b *itemBuilder) error {
		if err := b.become(AtomNumber); err != nil {
			return err
		}
		for _, v := range b.values {
			if v.kind != scalarInt && v.kind != scalarFloat {
				return v.refuse("needs a number, not %s", v.what())
			}
			v.atoms = []Atom{{Kind: AtomNumber, Op: op, Number: v.num}}
		}
		return nil
	}
}
