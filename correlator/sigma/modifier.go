// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// modifier changes an item that is being built. To add one: a file modifier_<name>.go with its function, and a line
// here.
type modifier func(*itemBuilder) error

// modifierNamed returns nil for what this package does not implement.
func modifierNamed(name string) modifier {
	switch name {
	case "all":
		return modifierAll
	case "base64":
		return modifierBase64
	case "base64offset":
		return modifierBase64Offset
	case "cased":
		return modifierCased
	case "cidr":
		return modifierCIDR
	case "contains":
		return modifierContains
	case "endswith":
		return modifierEndsWith
	case "exists":
		return modifierExists
	case "expand":
		return modifierExpand
	case "fieldref":
		return modifierFieldRef
	case "gt", "gte", "lt", "lte":
		return modifierCompare(operatorNamed(name))
	case "i", "ignorecase":
		return modifierRegexpFlag("i")
	case "m", "multiline":
		return modifierRegexpFlag("m")
	case "s", "dotall":
		return modifierRegexpFlag("s")
	case "neq":
		return modifierNotEqual
	case "re":
		return modifierRegexp
	case "startswith":
		return modifierStartsWith
	case "utf16":
		return modifierUTF16
	case "utf16be":
		return modifierUTF16BE
	case "utf16le", "wide":
		return modifierUTF16LE
	case "windash":
		return modifierWindash
	default:
		return nil
	}
}
