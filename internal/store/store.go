// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package store is the contract of what keeps and finds events. A driver (local, elastic) is an [Appender] and a
// [Querier]; storetest holds both to it.
//
// The rule a reader would otherwise break: a driver takes what a query asks for from [Query.Filter] and from nowhere
// else. It has the person's scope in it, and refuses a Query that [NewQuery] did not make.
package store

import (
	"context"
	_ "embed"
	"iter"
	"strings"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

// Appender takes the records of the spool, in their order, from one goroutine. Append may buffer; it blocks when the
// store cannot keep up, keeps nothing of r after it returns, and after an error the same record may be given again.
// Sync returns the cursor up to which everything appended has reached the disk (or the cluster): only that may be
// trimmed from the spool. After a crash an Appender skips by itself what it already holds.
type Appender interface {
	Append(ctx context.Context, r *spool.Record) error
	Sync(ctx context.Context) (spool.Cursor, error)
}

// Querier finds events. Every query sees at least what was appended and synced before it began. It ends early when ctx
// is done, with ctx's error as the last one yielded. Safe for concurrent use.
type Querier interface {
	// Events yields the events, newest first, those of one time in descending order of their ids. An event is valid
	// until the next iteration. After an error, which is the last, the events so far may be incomplete.
	Events(ctx context.Context, q Query) iter.Seq2[event.Event, error]
	// Stats counts the events in buckets. Each table replaces the one before; the last has Done 1 and is exact.
	Stats(ctx context.Context, q Query, by ...Bucket) iter.Seq2[Table, error]
	// Fields lists the fields of the newest q.Limit events (10,000 when 0), by name.
	Fields(ctx context.Context, q Query) ([]FieldInfo, error)
}

//go:embed hot.csv
var hotFile string

// HotFields returns the fields that a store keeps in columns of their own, in a fixed order: those that most queries
// filter, count and group by.
func HotFields() []event.FieldID {
	var ids []event.FieldID
	for line := range strings.Lines(hotFile) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if id, ok := event.Lookup(line); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
