// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"slices"

	"github.com/haidang-soc/haidang/internal/sinks"
)

// sinks lists the ways out; they belong to the whole province, so a bounded scope sees none.
func (s *server) sinks(w http.ResponseWriter, r *request) error {
	list := []sinks.Status{}
	if r.scope.All() {
		list = append(list, s.Sinks.Status()...)
	}
	return answer(w, http.StatusOK, map[string]any{"sinks": list})
}

// deadLetters lists what a sink gave up.
func (s *server) deadLetters(w http.ResponseWriter, r *request) error {
	if err := s.knowsSink(r); err != nil {
		return err
	}
	letters, err := s.Sinks.Dead(r.PathValue("name"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"letters": letters})
}

// retryLetters has a sink try again what it gave up: the given letters, or all.
func (s *server) retryLetters(w http.ResponseWriter, r *request) error {
	if err := s.knowsSink(r); err != nil {
		return err
	}
	var what struct {
		Letters []uint64 `json:"letters"`
	}
	if err := body(r, &what); err != nil {
		return err
	}
	n, err := s.Sinks.Retry(r.PathValue("name"), what.Letters...)
	if err != nil {
		return &problem{Status: http.StatusConflict, Title: "not retried", Detail: err.Error()}
	}
	return answer(w, http.StatusOK, map[string]any{"retried": n})
}

func (s *server) knowsSink(r *request) error {
	name := r.PathValue("name")
	named := func(st sinks.Status) bool { return st.Name == name }
	if !r.scope.All() || !slices.ContainsFunc(s.Sinks.Status(), named) {
		return &problem{Status: http.StatusNotFound, Title: "not found", Detail: "no sink of that name"}
	}
	return nil
}
