// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package collectors states the contract of everything that brings bytes into haidang, and supervises what fulfils
// it. Each protocol is a package in a folder beneath this one.
//
// A collector is a driver: it neither logs nor restarts itself nor reads the environment. Supervise does that, in one
// place for all. A goroutine that a collector starts runs under Guard, since a panic in it would end the process
// where Supervise cannot see it.
package collectors

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/haidang-soc/haidang/internal/event"
)

// Collector brings events in and writes them to out as batches.
//
// Who owns the memory: the collector makes the batches and forgets one as soon as Write has returned nil for it; out
// keeps none. May it block: Run blocks until ctx is done or it cannot go on, and Write may block it for as long as
// out cannot keep up; a collector then stops reading where its senders can wait, and counts what is lost where they
// cannot. May it be called concurrently: Run may not, but it may be called again once it has returned; whatever else
// a collector exports may. Who retries: a batch that out refuses is written again by the collector, the same range,
// until it is taken or ctx is done; a Run that failed is called again by Supervise, never by itself. May the same
// thing come twice: only within the range of a batch that was written again, which out stores once. How does it stop:
// when ctx is done Run stops reading, writes what it has read, which takes a bounded time, and returns nil; it returns
// an error at once when it cannot collect, and after a stop only if something it had read could not be written.
type Collector interface {
	Run(ctx context.Context, out event.Writer) error
}

// PanicError is a panic that Guard turned into an error.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

// Error says what the panic said. The stack is left to who logs it.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the panic's value where it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Guard calls f and returns its error, or a *PanicError if it panicked. Every goroutine of a collector runs its work
// under it and hands the error to Run.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
