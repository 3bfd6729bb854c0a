// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"testing"
	"time"
)

func FuzzVerify(f *testing.F) {
	const secret = "a secret of the right length"
	now := time.Unix(1_790_000_000, 0)
	f.Add(Sign(secret, now, []byte(`{"a":"Dò"}`)), []byte(`{"a":"Dò"}`))
	f.Add("t=1790000000,v1=00", []byte{})
	f.Add("t=,v1=", []byte("x"))
	f.Add("t=9223372036854775807,v1=ff", []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if Verify(secret, header, body, now) != nil {
			return
		}
		// What is accepted was made with the secret: the same with another secret is not.
		if Verify(secret+"x", header, body, now) == nil {
			t.Error("a header that fits two secrets")
		}
	})
}
