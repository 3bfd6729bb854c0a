// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "errors"

// modifierFieldRef compares the field with another field of the same event; the value is its name. One of contains,
// startswith and endswith may follow.
func modifierFieldRef(b *itemBuilder) error {
	if b.cased {
		return errors.New("does not go with cased")
	}
	if err := b.become(AtomFieldRef); err != nil {
		return err
	}
	for _, v := range b.values {
		if v.kind != scalarText || v.text == "" {
			return v.refuse("needs the name of a field, not %s", v.what())
		}
		for _, t := range v.texts {
			if name, ok := t.Plain(); !ok || name != v.text {
				return v.refuse("needs the name of a field; a modifier before it, or a wildcard, changed %q", oneLine(v.text))
			}
		}
		v.atoms = []Atom{{Kind: AtomFieldRef, Ref: FieldRef{Field: v.text}}}
	}
	return nil
}

// refPart sets which part of the value a reference compares.
func (b *itemBuilder) refPart(part RefPart) error {
	for _, v := range b.values {
		if v.atoms[0].Ref.Part != RefWhole {
			return errors.New("only one of contains, startswith and endswith goes with fieldref")
		}
		v.atoms[0].Ref.Part = part
	}
	return nil
}
