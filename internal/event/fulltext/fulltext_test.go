// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package fulltext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got := Fold(s); got != want {
			t.Errorf("Fold(%q) = %q, want %q", s, got, want)
		}
	}
	f("", "")
	f("Failed_password for-root", "failed password for root")
	f("Đường Nguyễn Huệ, số 12/3", "duong nguyen hue so 12 3")
	f("\u0110u\u031bo\u031b\u0300ng", "duong")
	f("ĐẶNG", "dang")
	f("日本語 한국어", "日本語 한국어")
	f("é\xffa", "e a")
	f("\u0301x", "x")
}

func TestPlain(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		for _, s := range []string{s, norm.NFD.String(s)} {
			if got := Plain(s); got != want {
				t.Errorf("Plain(%q) = %q, want %q", s, got, want)
			}
		}
	}
	f("", "")
	f("--", "")
	f("  Cổng-DVC / ĐÀ NẴNG 02 ", "cổng dvc đà nẵng 02")
	f("sshd[42]: Failed", "sshd 42 failed")
}

// Plain and Fold have the same tokens, folding a second time changes nothing, and composed and decomposed text have
// the same.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"Đường Nguyễn Huệ, số 12/3", "\u0110u\u031bo\u031b\u0300ng", "日本語 한국어", "é\xffa", "\u0301x", "ﬁ½ⅷ",
		"<38>sshd[42]: Failed password for root from 10.1.2.3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := Fold(s)
		if !utf8.ValidString(folded) {
			t.Errorf("Fold(%q) = %q, which is no UTF-8", s, folded)
		}
		var tokens Tokens
		tokens.Read(s)
		var list []string
		for i := range tokens.Len() {
			_, f := tokens.At(i)
			list = append(list, f)
		}
		if got := strings.Join(list, " "); got != folded {
			t.Errorf("the tokens of %q are %q, Fold says %q", s, got, folded)
		}
		if utf8.ValidString(s) && Fold(norm.NFD.String(s)) != folded {
			t.Errorf("decomposed %q folds to %q, composed to %q", s, Fold(norm.NFD.String(s)), folded)
		}
	})
}
