// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package sample holds the inventory and policy of a fictional province, for the demo and for tests.
//
// Every name ends in .example and every public address is one reserved for documentation: nothing of it exists.
package sample

import _ "embed"

// Inventory is inventory.yml.
//
//go:embed inventory.yml
var Inventory []byte

// Policy is policy.yml.
//
//go:embed policy.yml
var Policy []byte
