// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package ruletest runs the tests that stand beside rules: lines or events go through the real decoders, the inventory
// and the correlator in the time that the test gives, and the alerts must be exactly those that it lists.
//
// A test file x_test.yml (see docs/rules.md) is the only format; `haidang rules test` and `go test ./rules` are both
// this package. A test that lists no alerts means that there must be none: never weaken the comparison to "at least".
package ruletest
