// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func FuzzText(f *testing.F) {
	f.Add("Failed password for invalid user nguyễn from 198.51.100.7", 300)
	f.Add("nguye\u0302\u0303n <!channel> <https://x|y> `a` *b* _c_ ~d~ & \x1b[31m \u202e", 20)
	f.Add("\xff\xfe\n\r", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 1 || limit > 3000 {
			return
		}
		for name, out := range map[string]string{"prose": prose(s, limit), "code": code(s, limit)} {
			inner := out
			if name == "code" && out != "" {
				inner = out[1 : len(out)-1]
			}
			if strings.ContainsAny(inner, "<>`") || name == "prose" && strings.ContainsAny(inner, "*_~") {
				t.Errorf("%s: markup gets through: %q", name, out)
			}
			if n := utf8.RuneCountInString(inner); n > limit+1 || !utf8.ValidString(out) {
				t.Errorf("%s: %d characters of %d: %q", name, n, limit, out)
			}
			for _, r := range inner {
				if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
					t.Errorf("%s: control character %U in %q", name, r, out)
				}
			}
		}
	})
}
