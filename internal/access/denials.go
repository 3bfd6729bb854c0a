// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	denialQuiet = time.Minute // how long an equal denial is only counted
	maxDenials  = 1024
)

// denials keep a flood of bad tokens from filling the audit: the first of a kind is written, its equals of the next
// minute are counted and the number goes with the next one written.
type denials struct {
	mu   sync.Mutex
	seen map[string]*denial
}

type denial struct {
	since time.Time
	more  int
}

// admit reports whether a denial is to be written, and how many equals were not since the last.
func (d *denials) admit(now time.Time, kind string) (write bool, skipped int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil {
		d.seen = map[string]*denial{}
	}
	x := d.seen[kind]
	if x == nil && len(d.seen) >= maxDenials {
		for k, o := range d.seen {
			if now.Sub(o.since) >= denialQuiet && o.more == 0 {
				delete(d.seen, k)
			}
		}
		if len(d.seen) >= maxDenials { // too many callers to tell apart
			if kind = "others"; d.seen[kind] != nil {
				x = d.seen[kind]
			}
		}
	}
	if x == nil {
		d.seen[kind] = &denial{since: now}
		return true, 0
	}
	if age := now.Sub(x.since); age >= 0 && age < denialQuiet {
		x.more++
		return false, 0
	}
	skipped = x.more
	x.since, x.more = now, 0
	return true, skipped
}

func (s *Store) deny(token, reason, remote string) (Principal, error) {
	if !validID(token) {
		token = ""
	}
	now := s.now()
	write, skipped := s.denials.admit(now, reason+" "+token+" "+host(remote))
	if !write {
		return Principal{}, ErrDenied
	}
	if skipped > 0 {
		reason = fmt.Sprintf("%s, and %d times before", reason, skipped)
	}
	err := s.audit.Append(Entry{At: now, Actor: "token:" + token, Action: "token.denied", Target: token, Detail: reason,
		Remote: remote})
	if err != nil {
		return Principal{}, err
	}
	return Principal{}, ErrDenied
}

// host is the address of a caller without its port, which changes with every attempt.
func host(remote string) string {
	if h, _, err := net.SplitHostPort(remote); err == nil {
		return h
	}
	return remote
}
