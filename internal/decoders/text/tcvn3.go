// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package text

import "unicode/utf8"

// tcvn3 is the upper half of TCVN 5712:1993, VN1, of which the ABC fonts use the part from A1 on. The capital letters
// that VN1 puts among the control characters are left out: in a log those bytes are control characters. Capitals with
// a tone are written by ABC fonts as small letters in a font of capitals, so they read as small letters here.
// It is never written to.
var tcvn3 = [128]rune{
	'À', 'Ả', 'Ã', 'Á', 'Ạ', 'Ặ', 'Ậ', 'È', // 80
	'Ẻ', 'Ẽ', 'É', 'Ẹ', 'Ệ', 'Ì', 'Ỉ', 'Ĩ', // 88
	'Í', 'Ị', 'Ò', 'Ỏ', 'Õ', 'Ó', 'Ọ', 'Ộ', // 90
	'Ờ', 'Ở', 'Ỡ', 'Ớ', 'Ợ', 'Ù', 'Ủ', 'Ũ', // 98
	'\u00a0', 'Ă', 'Â', 'Ê', 'Ô', 'Ơ', 'Ư', 'Đ', // A0
	'ă', 'â', 'ê', 'ô', 'ơ', 'ư', 'đ', 'Ằ', // A8
	'\u0300', '\u0309', '\u0303', '\u0301', '\u0323', 'à', 'ả', 'ã', // B0
	'á', 'ạ', 'Ẳ', 'ằ', 'ẳ', 'ẵ', 'ắ', 'Ẵ', // B8
	'Ắ', 'Ầ', 'Ẩ', 'Ẫ', 'Ấ', 'Ề', 'ặ', 'ầ', // C0
	'ẩ', 'ẫ', 'ấ', 'ậ', 'è', 'Ể', 'ẻ', 'ẽ', // C8
	'é', 'ẹ', 'ề', 'ể', 'ễ', 'ế', 'ệ', 'ì', // D0
	'ỉ', 'Ễ', 'Ế', 'Ồ', 'ĩ', 'í', 'ị', 'ò', // D8
	'Ổ', 'ỏ', 'õ', 'ó', 'ọ', 'ồ', 'ổ', 'ỗ', // E0
	'ố', 'ộ', 'ờ', 'ở', 'ỡ', 'ớ', 'ợ', 'ù', // E8
	'Ỗ', 'ủ', 'ũ', 'ú', 'ụ', 'ừ', 'ử', 'ữ', // F0
	'ứ', 'ự', 'ỳ', 'ỷ', 'ỹ', 'ý', 'ỵ', 'Ố', // F8
}

// fromTCVN3 reads bytes of TCVN3. Every byte is valid in it.
func fromTCVN3(raw []byte) ([]byte, int) {
	n := asciiPrefix(raw)
	if n == len(raw) {
		return raw, 0
	}
	out := append(make([]byte, 0, len(raw)*2), raw[:n]...)
	for _, c := range raw[n:] {
		if c < utf8.RuneSelf {
			out = append(out, c)
			continue
		}
		out = utf8.AppendRune(out, tcvn3[c-0x80])
	}
	return out, 0
}
