// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package correlator turns the stream of events into alerts: it matches Sigma detections, keeps the windows of
// correlations, and follows each alert from its first event to its end.
//
// The engine is a pure function of the stream. It asks no clock, starts no goroutine and draws no random number; the
// time is that of the records, a window closes when a tick says so, and rule sets change by a record of the stream. So
// a restart from any checkpoint, a replay and the live run raise the same alerts, update by update. Whoever adds to it
// must never range over a map where the order can be seen, and must keep every bit of state in the checkpoint.
package correlator
