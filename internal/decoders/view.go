// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"strings"
	"unsafe"
)

// view reads bytes as a string without a copy. The bytes must not change while the string is used: here that is the
// time of one Decode, and the Builder copies what it is given.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf is the way back, for parsers that take bytes and do not write to them.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// base cuts a path off a program's name: "/usr/sbin/sshd" is sshd, "postfix/smtpd" stays, for it is no path.
func base(s string) string {
	if len(s) > 0 && s[0] == '/' {
		return s[strings.LastIndexByte(s, '/')+1:]
	}
	return s
}
