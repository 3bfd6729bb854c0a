// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package spool

// Pin keeps every record that is there now until release is called: Trim goes on recording where readers are, and
// deletes nothing. It returns when no deletion is under way. Safe for concurrent use; release may be called once.
func (s *Spool) Pin() (release func()) {
	s.purging.Lock()
	defer s.purging.Unlock()
	s.pinned++
	return func() {
		s.purging.Lock()
		defer s.purging.Unlock()
		s.pinned--
	}
}

// Pause lets nothing be appended until resume is called, and returns the cursor behind the last record: every file of
// the stream stays as it is. Writers wait meanwhile, so it is for a moment. It writes the checkpoint of ranges, blocks
// while a publish is under way, and fails only when that checkpoint cannot be written.
func (s *Spool) Pause() (at Cursor, resume func(), err error) {
	s.committing.Lock()
	if err := s.writeCheckpoint(); err != nil {
		s.committing.Unlock()
		return Cursor{}, nil, err
	}
	return s.End(), s.committing.Unlock, nil
}
