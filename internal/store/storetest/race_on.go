// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package storetest

// records is how many Run appends, of a hundred events each: fewer where everything is ten times slower.
const records = 8
