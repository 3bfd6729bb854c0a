// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package proofs holds proofs about the whole program with real processes: its tests start the server as a child, kill
// it with SIGKILL at seeded random moments, and then compare what was promised with what is there.
//
// The rule a reader would otherwise break: whoever sends, whoever serves and whoever checks share nothing but the
// server's own interfaces and files. A checker that asks the server under test whether all is well proves nothing.
// docs/proofs.md lists what was broken on purpose to see that these tests notice.
package proofs
