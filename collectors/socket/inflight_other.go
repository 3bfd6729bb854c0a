// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package socket

const areaHead = headSize

// OpenInflight keeps nothing here: no process holds the sockets of another.
func OpenInflight(string, uint64, int, int) (*Inflight, []Kept, error) { return nil, nil, nil }

// Boot is not known here.
func Boot() (uint64, error) { return 0, nil }

// Attach does nothing.
func (f *Inflight) Attach(int, *UDP) {}

func (a *area) received(uint64) []Kept { return nil }
