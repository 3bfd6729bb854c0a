// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package archtest holds the layout of the repository as tests: who may import whom, what every package and file owes.
//
// A new package needs a row in the import table. Where the table fights a change, the design is wrong somewhere: find
// where before adding to a row.
package archtest
