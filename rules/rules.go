// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package rules is the rules that come with the program: Sigma YAML by product, each with its tests beside it
// (x_test.yml). They are data; docs/rules.md says how to write one. Every rule has a Vietnamese title and description
// and at most five steps for the analyst, and a mutation of any part of it must make one of its tests fail.
package rules

import "embed"

// FS holds the rules and their tests.
//
//go:embed haidang linux network web inventory_test.yml
var FS embed.FS
