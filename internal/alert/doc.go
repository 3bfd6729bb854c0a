// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package alert is what the correlator raises and people act upon: the alert, its append-only log and the projection of
// that log which lists are read from.
//
// The log (the JetStream stream ALERTS) is the truth: every emission of the correlator and every action of a person is
// one entry that carries the hash of the entry before. Nothing is ever changed or removed; an undo is a compensating
// entry. Whoever wants to know the state of an alert folds its entries, which the Projection has already done. A reader
// never changes an *Alert, an *Entry or a *State that it was given: they are shared.
package alert
