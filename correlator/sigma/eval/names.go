// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

// Names returns the field names under which events may carry what a rule calls name, the best first.
func (m Mapping) Names(name string) []string { return m.candidates(name) }
