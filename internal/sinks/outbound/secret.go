// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import "log/slog"

// Secret is a string that prints as [secret] wherever it may end up; Reveal gives it.
type Secret string

const hidden = "[secret]"

// String returns a placeholder.
func (Secret) String() string { return hidden }

// GoString returns a placeholder, for %#v.
func (Secret) GoString() string { return hidden }

// MarshalText returns a placeholder.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns a placeholder.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }
