// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxAtoms is the most alternatives that modifiers may make of one value.
const MaxAtoms = 1024

// maxRuleAtoms is the most that all values of a rule may come to: a bound on memory.
const maxRuleAtoms = 100_000

// itemBuilder is an item while its modifiers run over it, one after the other, in the order of the file.
type itemBuilder struct {
	item   Item
	kind   AtomKind // of the atoms to come; AtomText until a modifier says otherwise
	cased  bool
	values []*itemValue
	left   *int // atoms that the rule may still have
}

// itemValue is one value of the file and what became of it: several texts for one value are alternatives.
type itemValue struct {
	*node
	texts []Pattern
	atoms []Atom // set by the modifiers that compare something else than text
}

// newItem makes an item of a key with modifiers and its values; the key is empty for keywords.
func newItem(key string, values []*node, left *int) (Item, error) {
	names := strings.Split(key, "|")
	b := itemBuilder{kind: AtomText, left: left, item: Item{Field: names[0], Modifiers: names[1:], Pos: values[0].pos}}
	if len(names) == 1 {
		b.item.Modifiers = nil
	}
	for _, v := range values {
		if !v.isScalar() {
			return Item{}, v.refuse("detection: a value of %q must be a text or a number, not %s", oneLine(key), v.what())
		}
		b.values = append(b.values, &itemValue{node: v, texts: startPatterns(v)})
	}
	for i, name := range names[1:] {
		m := modifierNamed(name)
		if m == nil {
			return Item{}, Refusal{Reason: fmt.Sprintf("modifier %q of %q is not supported", oneLine(name), oneLine(names[0]))}
		}
		if err := m(&b); err != nil {
			return Item{}, withModifier(err, name)
		}
		for _, earlier := range names[1 : i+1] {
			if earlier == name {
				return Item{}, Refusal{Reason: fmt.Sprintf("modifier %q is given twice", oneLine(name))}
			}
		}
	}
	return b.finish()
}

// withModifier puts the modifier's name before the reason of a Refusal.
func withModifier(err error, name string) error {
	r := refusal(err, Pos{}, "")
	r.Reason = "modifier " + name + ": " + r.Reason
	return r
}

// startPatterns reads the wildcards of a text; numbers and booleans become the texts by which they are written.
func startPatterns(v *node) []Pattern {
	switch v.kind {
	case scalarText:
		return []Pattern{ParsePattern(v.text)}
	case scalarInt, scalarFloat:
		canonical := v.whole
		if v.kind == scalarFloat {
			canonical = strconv.FormatFloat(v.num, 'g', -1, 64)
		}
		if canonical != "" && canonical != v.text {
			return []Pattern{Text(canonical), Text(v.text)}
		}
		return []Pattern{Text(v.text)}
	case scalarBool:
		return []Pattern{Text(strconv.FormatBool(v.truth))}
	default:
		return nil
	}
}

// each runs a modifier over the texts of every value.
func (b *itemBuilder) each(change func(Pattern) ([]Pattern, error)) error {
	if b.kind != AtomText {
		return fmt.Errorf("does not go with the modifiers before it")
	}
	total := 0
	for _, v := range b.values {
		if v.kind == scalarNull {
			return v.refuse("does not go with null")
		}
		var texts []Pattern
		for _, t := range v.texts {
			more, err := change(t)
			if err != nil {
				return v.at(err)
			}
			texts = append(texts, more...)
		}
		if len(texts) > MaxAtoms {
			return v.refuse("makes more than %d alternatives of %q", MaxAtoms, oneLine(v.text))
		}
		v.texts = texts
		if total += len(texts); total > *b.left {
			return v.refuse("the values of the rule come to more than %d alternatives", maxRuleAtoms)
		}
	}
	return nil
}

// bytes runs a modifier over values that may not have wildcards.
func (b *itemBuilder) bytes(change func(string) []string) error {
	return b.each(func(p Pattern) ([]Pattern, error) {
		text, plain := p.Plain()
		if !plain {
			return nil, fmt.Errorf("does not go with wildcards, in %q", oneLine(p.String()))
		}
		var out []Pattern
		for _, s := range change(text) {
			out = append(out, Text(s))
		}
		return out, nil
	})
}

// become changes what the values are compared as; only one modifier of an item may.
func (b *itemBuilder) become(kind AtomKind) error {
	if b.kind != AtomText || b.cased {
		return fmt.Errorf("does not go with the modifiers before it")
	}
	for _, m := range b.item.Modifiers {
		if modifierNamed(m) == nil || m == "all" || m == "neq" {
			continue
		}
		if changesText(m) && kind != AtomFieldRef {
			return fmt.Errorf("does not go with %s", m)
		}
	}
	b.kind = kind
	return nil
}

// changesText reports whether a modifier works on texts alone.
func changesText(name string) bool {
	switch name {
	case "contains", "startswith", "endswith", "cased", "windash", "base64", "base64offset", "wide", "utf16", "utf16le",
		"utf16be", "expand":
		return true
	}
	return false
}

func (b *itemBuilder) finish() (Item, error) {
	if b.item.Field == "" && b.kind != AtomText && b.kind != AtomRegexp {
		return Item{}, Refusal{Reason: "detection: keywords are texts or regular expressions"}
	}
	if b.item.All && len(b.values) < 2 {
		return Item{}, Refusal{Reason: "modifier all: needs two values or more"}
	}
	for _, v := range b.values {
		value := Value{Raw: v.text, Atoms: v.atoms}
		switch {
		case v.atoms != nil:
		case v.kind == scalarNull:
			if b.item.Field == "" {
				return Item{}, v.refuse("detection: null is not a keyword")
			}
			value.Atoms = []Atom{{Kind: AtomNull}}
		default:
			for _, p := range v.texts {
				value.Atoms = append(value.Atoms, Atom{Kind: AtomText, Pattern: p, Cased: b.cased})
			}
		}
		if b.item.Field == "" && v.kind == scalarText && len(v.texts) > 0 && len(v.texts[0]) == 0 && v.atoms == nil {
			return Item{}, v.refuse("detection: an empty keyword matches everything")
		}
		if len(value.Atoms) == 0 {
			return Item{}, v.refuse("detection: nothing is left of the value %q", oneLine(v.text))
		}
		if *b.left -= len(value.Atoms); *b.left < 0 {
			return Item{}, v.refuse("detection: the rule has more than %d values", maxRuleAtoms)
		}
		b.item.Values = append(b.item.Values, value)
	}
	return b.item, nil
}
