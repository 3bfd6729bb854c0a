// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "encoding/base64"

// modifierBase64Offset looks for the value inside a longer text that was put into Base64: the form depends on where it
// starts, modulo three, and its first and last characters on the neighbours, so three inner parts are looked for.
func modifierBase64Offset(b *itemBuilder) error {
	return b.bytes(func(s string) []string {
		starts, ends := [3]int{0, 2, 3}, [3]int{0, 3, 2}
		var out []string
		for shift := range 3 {
			text := base64.StdEncoding.EncodeToString(append(make([]byte, shift, shift+len(s)), s...))
			from, to := starts[shift], len(text)-ends[(len(s)+shift)%3]
			if from < to {
				out = append(out, text[from:to])
			}
		}
		return out
	})
}
