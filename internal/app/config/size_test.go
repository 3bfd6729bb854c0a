// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"40MiB": 40 << 20, "8388608": 8 << 20, "\"1 GiB\"": 1 << 30, "1KiB": 1024,
		"2TiB": 2 << 40, "0": 0} {
		c, err := Parse("x.yml", []byte("spool:\n  max_bytes: "+text+"\n"))
		if err != nil || c.Spool.MaxBytes != want {
			t.Errorf("%s: %v, %v", text, c, err)
		}
	}
	for _, text := range []string{"40MB", "-1", "1.5GiB", "9999999TiB", "nhiều"} {
		_, err := Parse("x.yml", []byte("spool:\n  reserve: "+text+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "x.yml:2: ") || !strings.Contains(err.Error(), "is no size") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
