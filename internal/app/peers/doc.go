// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package peers holds whole-program tests: real programs of others (rsyslogd, softflowd, logger) send to a server that
// was opened with app.Open, and what they sent is counted by search through its HTTP API. It has no code of its own.
//
// The rule: only loopback and network namespaces that a test made itself are ever spoken to, every program is bounded
// in count and time and ended by its own process, and a test whose program is missing skips and says how to get it;
// with PEERS=install, which has just installed them all, it fails instead.
package peers
