// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// The types of other packages that this one speaks of, so that programs beyond this module can name them.
type (
	Event   = event.Event   // one event of a batch
	Builder = event.Builder // builds a batch, event by event
	Batch   = event.Batch   // a run of events
	FieldID = event.FieldID // the number of a field
	Value   = event.Value   // the value of a field
	Refusal = sigma.Refusal // why a rule was not compiled
)

// NewBuilder returns a Builder for the events of one epoch of a source; both only number the events.
func NewBuilder(source string, epoch uint64) *Builder { return event.NewBuilder(source, epoch) }

// Field returns the number of a field by its name, ECS or any other. It returns false when the name is empty, too long,
// or when the process knows too many names already.
func Field(name string) (FieldID, bool) { return event.Intern(name) }
