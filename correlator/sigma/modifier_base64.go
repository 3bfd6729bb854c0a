// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "encoding/base64"

// modifierBase64 looks for the Base64 form of the value.
func modifierBase64(b *itemBuilder) error {
	return b.bytes(func(s string) []string { return []string{base64.StdEncoding.EncodeToString([]byte(s))} })
}
