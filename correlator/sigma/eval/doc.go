// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package eval matches events with a compiled set of Sigma rules.
//
// Compile turns rules into atoms (one comparison of one field), shared between rules, and finds for each rule the atoms
// of which one must hold for it to match. Match walks the fields of an event once: per field one automaton for all
// texts to contain, one trie from each end. Only rules whose necessary atoms fired are evaluated, and only then the
// expensive atoms (wildcards inside, regular expressions, numbers, networks), each at most once an event.
//
// The rule a reader would otherwise break: a Set is immutable and shared; everything that changes during a match is in
// the Scratch, which belongs to one goroutine. Text is compared in NFC and by simple case folding on both sides, so
// what is written composed or decomposed, in capitals or not, is the same.
package eval
