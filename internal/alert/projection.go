// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"fmt"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/haidang-soc/haidang/internal/access"
)

// Keep is how long a closed alert stays in the projection after its last entry. The log keeps it for ever.
const Keep = 90 * 24 * time.Hour

const table = "alert"

// Projection is the log folded into one State per alert: all that are open, and the closed ones of the last 90 days.
// Readers take a snapshot and never block the one writer. Safe for concurrent use.
type Projection struct{ db *memdb.MemDB }

// NewProjection returns an empty one.
func NewProjection() (*Projection, error) {
	db, err := memdb.NewMemDB(&memdb.DBSchema{Tables: map[string]*memdb.TableSchema{
		table: {Name: table, Indexes: map[string]*memdb.IndexSchema{
			"id":     {Name: "id", Unique: true, Indexer: idIndex{}},
			"status": {Name: "status", Indexer: statusIndex{}},
		}},
	}})
	if err != nil {
		return nil, fmt.Errorf("alert: making the projection: %w", err)
	}
	return &Projection{db: db}, nil
}

// Apply folds entries in, in the order of the log, and sets their State. All become visible at once. An entry about an
// alert that the projection does not know (it was let go) is passed over.
func (p *Projection) Apply(entries ...*Entry) error {
	txn := p.db.Txn(true)
	defer txn.Abort()
	for _, e := range entries {
		s, err := first(txn, e.ID())
		if err != nil {
			return err
		}
		switch {
		case e.Alert != nil:
			if s != nil && e.Alert.Update <= s.Alert.Update {
				e.State = s
				continue // two servers of a cluster emitted the same update; it is in the log twice and counts once
			}
			s = s.emit(e)
		case s == nil || s.allows(e.Action) != nil:
			e.State = s
			continue
		default:
			s = s.act(e)
		}
		if err := txn.Insert(table, s); err != nil {
			return fmt.Errorf("alert: folding entry %d: %w", e.N, err)
		}
		e.State = s
	}
	txn.Commit()
	return nil
}

// Expire lets closed alerts go whose last entry is older than Keep, and returns how many.
func (p *Projection) Expire(now time.Time) (int, error) {
	oldest := now.Add(-Keep).UnixNano()
	txn := p.db.Txn(true)
	defer txn.Abort()
	it, err := txn.Get(table, "status", StatusClosed)
	if err != nil {
		return 0, fmt.Errorf("alert: listing closed alerts: %w", err)
	}
	var old []*State
	for raw := it.Next(); raw != nil; raw = it.Next() {
		if s, ok := raw.(*State); ok && s.ChangedAt < oldest {
			old = append(old, s)
		}
	}
	for _, s := range old {
		if err := txn.Delete(table, s); err != nil {
			return 0, fmt.Errorf("alert: letting alert %s go: %w", s.Alert.ID, err)
		}
	}
	txn.Commit()
	return len(old), nil
}

// Get returns an alert that the scope may see, or ErrNotFound.
func (p *Projection) Get(scope access.Scope, id ID) (*State, error) {
	s, err := p.find(id)
	if err != nil {
		return nil, err
	}
	if s == nil || !scope.Allows(s.Alert.Units...) {
		return nil, fmt.Errorf("alert %s: %w", id, ErrNotFound)
	}
	return s, nil
}

func (p *Projection) find(id ID) (*State, error) { return first(p.db.Txn(false), id) }

func first(txn *memdb.Txn, id ID) (*State, error) {
	raw, err := txn.First(table, "id", id)
	if err != nil {
		return nil, fmt.Errorf("alert: looking up %s: %w", id, err)
	}
	s, _ := raw.(*State)
	return s, nil
}

// each calls f with every alert of the statuses, all if none is given, until f returns false.
func (p *Projection) each(statuses []Status, f func(*State) bool) error {
	txn := p.db.Txn(false)
	if len(statuses) == 0 {
		statuses = []Status{StatusOpen, StatusAcknowledged, StatusClosed}
	}
	for _, status := range statuses {
		it, err := txn.Get(table, "status", status)
		if err != nil {
			return fmt.Errorf("alert: listing: %w", err)
		}
		for raw := it.Next(); raw != nil; raw = it.Next() {
			if s, ok := raw.(*State); ok && !f(s) {
				return nil
			}
		}
	}
	return nil
}

// idIndex finds a state by the id of its alert.
type idIndex struct{}

func (idIndex) FromArgs(args ...any) ([]byte, error) {
	if len(args) == 1 {
		if id, ok := args[0].(ID); ok {
			return id[:], nil
		}
	}
	return nil, fmt.Errorf("alert: want one id, have %d arguments", len(args))
}

func (idIndex) FromObject(raw any) (bool, []byte, error) {
	s, ok := raw.(*State)
	if !ok {
		return false, nil, fmt.Errorf("alert: a %T in the table of alerts", raw)
	}
	return true, s.Alert.ID[:], nil
}

// statusIndex finds the states of one status.
type statusIndex struct{}

func (statusIndex) FromArgs(args ...any) ([]byte, error) {
	if len(args) == 1 {
		if s, ok := args[0].(Status); ok {
			return append([]byte(s), 0), nil
		}
	}
	return nil, fmt.Errorf("alert: want one status, have %d arguments", len(args))
}

func (statusIndex) FromObject(raw any) (bool, []byte, error) {
	s, ok := raw.(*State)
	if !ok {
		return false, nil, fmt.Errorf("alert: a %T in the table of alerts", raw)
	}
	return true, append([]byte(s.Status), 0), nil
}
