// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator

import (
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/asset"
	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// The names under which other modules may use this package's types. Events are made by eval.Documents from JSON.
type (
	Event     = event.Event
	EventID   = event.ID
	Batch     = event.Batch
	Alert     = alert.Alert
	Record    = spool.Record
	Cursor    = spool.Cursor
	Policy    = asset.Policy
	Inventory = asset.Inventory
)
