// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package sigma is the Sigma rule language (specification 2.1.0): it parses YAML documents into detection rules and
// correlations whose conditions, modifiers and values are checked and fully resolved.
//
// The rule a reader would otherwise break: nothing a document says is ignored. What this package does not implement is
// answered with a Refusal that names file, line and reason; a rule that was parsed means exactly what it says. Where
// the specification is silent, the doc comment of the type says what was decided. The package knows nothing of events:
// package eval matches, package correlator counts.
package sigma
