// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The same sentence in every encoding: all vowels of Vietnamese that a log is likely to hold.
const sentence = "Đăng nhập thất bại: tài khoản người dùng \"nguyễn văn ổn\" từ 203.0.113.9, lỗi ở máy chủ Sở Tư pháp"

func TestRecode(t *testing.T) {
	f := func(encoding, in, want string, wantBad int) {
		t.Helper()
		raw := []byte(in)
		out, bad, err := Recode(encoding, raw)
		if err != nil || string(out) != want || bad != wantBad {
			t.Errorf("Recode(%q, %q) = %q, %d, %v; want %q, %d", encoding, in, out, bad, err, want, wantBad)
		}
		if string(raw) != in {
			t.Errorf("Recode(%q, %q) changed its input to %q", encoding, in, raw)
		}
	}
	for _, encoding := range []string{"", UTF8, Windows1258, TCVN3, VNI} {
		f(encoding, "plain ASCII\t\x01", "plain ASCII\t\x01", 0)
		f(encoding, "", "", 0)
	}
	f("", sentence, sentence, 0)
	f(UTF8, norm.NFD.String(sentence), sentence, 0)
	f(UTF8, "a\u0302\u0323", "ậ", 0) // marks in either order
	f(UTF8, "a\u0323\u0302", "ậ", 0)
	f(UTF8, "x\u0301y", "x\u0301y", 0)
	f(UTF8, "ho\xcc", "ho\ufffd", 1)
	f(UTF8, "\xff\xfe tiếng", "\ufffd\ufffd tiếng", 2)
	f(UTF8, "a valid \ufffd of the sender's", "a valid \ufffd of the sender's", 0)

	f(Windows1258, "Ti\xea\xecng Vi\xea\xf2t", "Tiếng Việt", 0)
	f(Windows1258, "\xd0\xe3ng nh\xe2\xf2p th\xe2\xect ba\xf2i", "Đăng nhập thất bại", 0)
	f(Windows1258, "ng\xfd\xf5\xcci d\xf9ng \xfe\xcc", "người dùng ₫̀", 0)
	f(Windows1258, "\xd2", "\u0309", 0)
	f(Windows1258, "x\x8ay", "x\ufffdy", 1)

	f(TCVN3, "\xa7\xa8ng nh\xcbp th\xcat b\xb9i", "Đăng nhập thất bại", 0)
	f(TCVN3, "ng\xad\xeai d\xefng nguy\xd4n v\xa8n \xe6n", "người dùng nguyễn văn ổn", 0)
	f(TCVN3, "m\xb8y ch\xf1 S\xeb T\xad ph\xb8p", "máy chủ Sở Tư pháp", 0)
	f(TCVN3, "a\xb3", "á", 0) // the combining acute of VN2

	f(VNI, "\xd1a\xeang nha\xe4p tha\xe1t ba\xefi", "Đăng nhập thất bại", 0)
	f(VNI, "ng\xf6\xf4\xf8i du\xf8ng nguye\xe3n va\xean o\xe5n", "người dùng nguyễn văn ổn", 0)
	f(VNI, "ma\xf9y chu\xfb S\xf4\xfb T\xf6 pha\xf9p", "máy chủ Sở Tư pháp", 0)
	f(VNI, "\xd1A\xcaNG NHA\xc4P L\xd6\xd5I", "ĐĂNG NHẬP LỮI", 0)
	f(VNI, "k\xf9", "k\ufffd", 1) // a tone without a vowel
	f(VNI, "i\xf9", "i\ufffd", 1) // í is one byte in VNI
	f(VNI, "ly\xf9 l\xed k\xee", "lý lí kỵ", 0)

	f(UTF16, "\xff\xfeT\x00i\x00\xbf\x1e", "Tiế", 0)
	f(UTF16, "\xfe\xff\x00T\x00i\x1e\xbf", "Tiế", 0)
	f(UTF16, "T\x00i\x00\xbf\x1e", "Tiế", 0)
	f(UTF16, "\x00T\x00i\x1e\xbf", "Tiế", 0)
	f(UTF16, "<13>\xff\xfee\x00\x02\x03\x01\x03", "<13>ế", 0) // decomposed, after a header in ASCII
	f(UTF16, "<13>plain", "<13>plain", 0)
	f(UTF16, "\xff\xfe\x3d\xd8\x00\xdeA\x00", "😀A", 0)
	f(UTF16, "\xff\xfe\x3d\xd8A\x00", "\ufffdA", 1)
	f(UTF16, "\xff\xfeA\x00B", "A\ufffd", 1)

	if out, _, err := Recode("koi8-r", []byte("x")); err == nil || string(out) != "x" {
		t.Errorf("an unknown encoding gave %q and no error", out)
	}
}

// TestTables: every letter of the alphabet comes out of TCVN3 and VNI, as the tables of the fonts give them.
func TestTables(t *testing.T) {
	small := []rune("aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ")
	seen := map[rune]bool{}
	for c := range 256 {
		out, _, _ := Recode(TCVN3, []byte{byte(c)})
		r, _ := utf8.DecodeRune(out)
		seen[r] = true
	}
	for _, r := range small {
		if !seen[r] {
			t.Errorf("no byte of TCVN3 is %c", r)
		}
	}
	seen = map[rune]bool{}
	for first := range 256 {
		for second := range 256 {
			out, bad, _ := Recode(VNI, []byte{byte(first), byte(second)})
			if r, n := utf8.DecodeRune(out); bad == 0 && n == len(out) || second < 0x80 {
				seen[r] = true
			}
		}
	}
	for _, r := range small {
		if !seen[r] {
			t.Errorf("no bytes of VNI are %c", r)
		}
		if up := []rune(string(bytes.ToUpper([]byte(string(r)))))[0]; !seen[up] {
			t.Errorf("no bytes of VNI are %c", up)
		}
	}
}

// TestPlainBlocks: what the fast path relies on.
func TestPlainBlocks(t *testing.T) {
	for r := rune(0); r < 0x1f00; r++ {
		if r >= 0x300 && r < 0x1e00 {
			continue
		}
		s := string(r)
		if p := norm.NFC.PropertiesString(s); norm.NFC.String(s) != s || p.CCC() != 0 || !p.BoundaryBefore() {
			t.Errorf("%U is not plain", r)
		}
	}
}

func TestNFC(t *testing.T) {
	for _, s := range []string{sentence, norm.NFD.String(sentence), "ASCII", "", "ế", "e\u0302\u0301", "\u0301", "\xff\u0301"} {
		want := norm.NFC.String(s)
		if got := string(NFC([]byte(s))); got != want {
			t.Errorf("NFC(%q) = %q, want %q", s, got, want)
		}
		if got := NFCString(s); got != want {
			t.Errorf("NFCString(%q) = %q, want %q", s, got, want)
		}
	}
	for _, s := range []string{sentence, "ASCII"} {
		raw := []byte(s)
		if n := testing.AllocsPerRun(10, func() { NFC(raw); _, _, _ = Recode(UTF8, raw) }); n > 0 {
			t.Errorf("NFC of %q, which is NFC, allocates %v times", s, n)
		}
	}
}

func FuzzRecode(f *testing.F) {
	for _, s := range []string{sentence, norm.NFD.String(sentence), "Ti\xea\xecng Vi\xea\xf2t", "\xa7\xa8ng nh\xcbp",
		"\xd1a\xeang nha\xe4p", "\xff\xfeT\x00i\x00\xbf\x1e", "<13>\xff\xfee\x00\x02\x03\x01\x03"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		for _, encoding := range []string{UTF8, Windows1258, TCVN3, VNI, UTF16} {
			out, bad, err := Recode(encoding, raw)
			if err != nil || !utf8.Valid(out) || !norm.NFC.IsNormal(out) {
				t.Fatalf("Recode(%s, %q) = %q, %d, %v", encoding, raw, out, bad, err)
			}
			// NFC makes at most three times the UTF-8 (UAX #15), and a byte of these encodings is at most three.
			if again := NFC(out); encoding == UTF8 && bad == 0 && !bytes.Equal(again, norm.NFC.Bytes(raw)) {
				t.Fatalf("NFC(%q) = %q", raw, again)
			}
			if len(out) > 9*len(raw) || bad > len(raw) {
				t.Fatalf("Recode(%s) made %d bytes of %d, %d bad", encoding, len(out), len(raw), bad)
			}
			if bad > 0 && !bytes.Contains(out, []byte("\ufffd")) {
				t.Fatalf("Recode(%s, %q) = %q hides %d bad bytes", encoding, raw, out, bad)
			}
		}
		if !bytes.Equal(raw, before) {
			t.Fatalf("Recode changed %q to %q", before, raw)
		}
	})
}

func BenchmarkRecode(b *testing.B) {
	for name, s := range map[string]string{"ascii": "Failed password for invalid user admin from 203.0.113.9 port 22 ssh2",
		"nfc": sentence, "nfd": norm.NFD.String(sentence)} {
		b.Run(name, func(b *testing.B) {
			raw := []byte(s)
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = Recode(UTF8, raw)
			}
		})
	}
}
