// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"encoding/binary"
	"unicode/utf16"
)

// modifierUTF16LE puts the value into UTF-16, low byte first; wide is another name for it.
func modifierUTF16LE(b *itemBuilder) error {
	return b.bytes(func(s string) []string { return []string{string(appendUTF16(nil, binary.LittleEndian, s))} })
}

// modifierUTF16BE puts the value into UTF-16, high byte first.
func modifierUTF16BE(b *itemBuilder) error {
	return b.bytes(func(s string) []string { return []string{string(appendUTF16(nil, binary.BigEndian, s))} })
}

// modifierUTF16 puts the value into UTF-16 with a byte order mark, low byte first.
func modifierUTF16(b *itemBuilder) error {
	return b.bytes(func(s string) []string {
		return []string{string(appendUTF16([]byte{0xff, 0xfe}, binary.LittleEndian, s))}
	})
}

func appendUTF16(dst []byte, order binary.AppendByteOrder, s string) []byte {
	for _, unit := range utf16.Encode([]rune(s)) {
		dst = order.AppendUint16(dst, unit)
	}
	return dst
}
