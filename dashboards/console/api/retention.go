// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import "net/http"

// Retention is how the retention classes fill the disk.
type Retention struct {
	Free    int64            `json:"free"` // bytes, beyond the reserve
	Classes []RetentionClass `json:"classes"`
}

// RetentionClass is one of them.
type RetentionClass struct {
	Class    int    `json:"class"` // days that it keeps
	Bytes    int64  `json:"bytes"`
	PerDay   int64  `json:"per_day"` // bytes, of the last week
	Oldest   string `json:"oldest"`  // day
	DaysLeft int    `json:"days_left"`
	Fits     bool   `json:"fits"` // it reaches its retention before the disk is full
}

// DayVerification is what comparing a closed day with its manifests found.
type DayVerification struct {
	Day         string   `json:"day"`
	Classes     []int    `json:"classes"` // that have a manifest of the day; none: it is not closed
	Events      uint64   `json:"events"`
	Differences []string `json:"differences"`
	File        string   `json:"file"` // of the chain, in the data directory
}

// retention says how long the disk will do; the disk is the whole province's.
func (s *server) retention(w http.ResponseWriter, r *request) error {
	if !r.scope.All() {
		return &problem{Status: http.StatusForbidden, Title: "not allowed",
			Detail: r.principal.Actor + " sees single units only: the disk is the whole province's"}
	}
	v, err := s.Retention()
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}

// verifyEvents compares a closed day with its manifests.
func (s *server) verifyEvents(w http.ResponseWriter, r *request) error {
	v, err := s.VerifyDay(r.Context(), r.URL.Query().Get("day"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}
