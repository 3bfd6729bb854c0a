// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"regexp"
	"strings"
)

// modifierRegexp takes the value as a regular expression, looked for anywhere in the field, with letter case. The
// syntax is RE2: look-around and back-references, which Sigma does not allow either, are refused.
func modifierRegexp(b *itemBuilder) error {
	if err := b.become(AtomRegexp); err != nil {
		return err
	}
	for _, v := range b.values {
		if v.kind == scalarNull {
			return v.refuse("needs a regular expression, not null")
		}
		if _, err := regexp.Compile(v.text); err != nil {
			return v.refuse("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		v.atoms = []Atom{{Kind: AtomRegexp, Regexp: v.text}}
	}
	return nil
}

// modifierRegexpFlag sets a flag of the regular expression: i ignores letter case, m lets ^ and $ match at lines, s
// lets the dot match a newline.
func modifierRegexpFlag(flag string) modifier {
	return func(b *itemBuilder) error {
		if b.kind != AtomRegexp {
			return errors.New("is a flag of re and must come after it")
		}
		for _, v := range b.values {
			v.atoms[0].Regexp = "(?" + flag + ")" + v.atoms[0].Regexp
		}
		return nil
	}
}
