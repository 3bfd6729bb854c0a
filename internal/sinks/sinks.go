// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package sinks carries alerts to people and to other systems.
//
// Each sink has its own outbox on disk, its own cursor in the alert log and its own workers, so a slow or dead peer
// holds nobody else and a crash loses nothing. A driver (one folder per protocol) tries once and says what came of it;
// it neither logs, counts, retries nor reads the environment. What a driver is handed is already cut down to what its
// sink may disclose: a driver cannot leak what it never had.
package sinks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
)

// Delivery is what a sink is asked to send. Alerts, States and Links go together by index. Nothing in it may be
// changed.
type Delivery struct {
	Alerts []*alert.Alert // States[i].Alert, cut down to the disclosure of the sink
	Update uint32         // of the alert that caused the delivery
	Key    string         // idempotency key: the same for every try
	Prior  Receipt        // what is known of earlier deliveries of the same alert to this sink

	States     []*alert.State // with status, assignee and history, as far as they may be disclosed
	Links      []string       // to the alert in the console; empty without a public URL
	Change     alert.Kind     // what happened
	Action     *alert.Action  // what a person did, as far as it may be disclosed; nil for an emission
	Disclosure Disclosure
	Since      time.Time // when the alert entered the log: how far back a look-up must go; not for the peer
}

// State says how far a delivery is.
type State uint8

// A sink answers Done or Pending. Unknown appears only in Delivery.Prior: an earlier try ended without a clear answer,
// so the peer may already have what is sent; a sink that can look it up does so first.
const (
	Done State = iota + 1
	Pending
	Unknown
)

// Receipt is what a peer answered.
type Receipt struct {
	Ref    string `json:"ref,omitempty"`    // the peer's name of what it made: kept, and given to later deliveries
	State  State  `json:"state"`            // Done or Pending
	Answer []byte `json:"answer,omitempty"` // what the peer said, for people; at most MaxAnswer bytes are kept
}

// MaxAnswer is how much of a peer's answer is kept, in bytes.
const MaxAnswer = 4 << 10

// Sink sends alerts to one peer. Send tries once, blocks until the peer answered or ctx is done, and keeps nothing of
// d. A nil error with Pending means that the same delivery comes again with Prior, to follow its status. A *RetryError
// says when to try again; an error that wraps ErrPermanent says never; any other error is tried again with growing
// pauses. No error ever contains a secret. Safe for concurrent use; two deliveries of one alert never overlap.
type Sink interface {
	Send(ctx context.Context, d *Delivery) (Receipt, error)
}

// RetryError says that the same delivery may succeed later.
type RetryError struct {
	After   time.Duration // at the earliest; 0 leaves it to the caller
	Err     error
	Refused bool // the peer did nothing for certain, so nothing needs to be looked up
}

// Error returns the text of the cause.
func (e *RetryError) Error() string {
	if e.After > 0 {
		return fmt.Sprintf("%v (again after %s)", e.Err, e.After)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }

// ErrPermanent is wrapped by errors that no later try can cure: the delivery becomes a dead letter.
var ErrPermanent = errors.New("permanent")

// Permanent marks an error as one that no later try can cure.
func Permanent(err error) error { return fmt.Errorf("%w: %w", ErrPermanent, err) }
