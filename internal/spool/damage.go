// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

import "context"

// pass reports whether the missing records [from, first) lie within what the stream keeps: then nobody deleted them,
// the server leaves out what its checksums do not hold for. It tells of them once.
func (s *Spool) pass(ctx context.Context, from, first uint64) bool {
	ctx, cancel := s.srv.bound(ctx, s.cfg.Deadline)
	defer cancel()
	st, err := s.srv.JetStream().Stream(ctx, s.cfg.Name)
	if err != nil || from < st.CachedInfo().State.FirstSeq {
		return false
	}
	s.mu.Lock()
	_, told := s.damaged[from]
	if !told {
		if s.damaged == nil {
			s.damaged = map[uint64]struct{}{}
		}
		s.damaged[from] = struct{}{}
		s.stats.Damaged += first - from
	}
	s.mu.Unlock()
	if told {
		return true
	}
	s.cfg.Log.Error("spool: records are damaged and left out: what they held is lost unless the index has it already",
		"stream", s.cfg.Name, "from", from, "to", first-1)
	if s.cfg.OnDamage != nil {
		s.cfg.OnDamage(from, first)
	}
	return true
}
