// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"

	"github.com/haidang-soc/haidang/internal/access"
)

// people lists who uses the system.
func (s *server) people(w http.ResponseWriter, r *request) error {
	list, err := s.People.People(r.Context())
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"people": nonNil(list)})
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// addPerson adds a person; the body is an access.Person.
func (s *server) addPerson(w http.ResponseWriter, r *request) error {
	var p access.Person
	if err := body(r, &p); err != nil {
		return err
	}
	if err := s.People.AddPerson(r.Context(), r.principal.Actor, p); err != nil {
		return err
	}
	p, err := s.People.Person(r.Context(), p.ID)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, p)
}

// personChange is the body of changePerson: what is absent stays.
type personChange struct {
	Name  *string        `json:"name"`
	Roles *[]access.Role `json:"roles"`
	Units *[]string      `json:"units"`
	Email *string        `json:"email"`
	Slack *string        `json:"slack"`
	Off   *bool          `json:"off"`
}

func (s *server) changePerson(w http.ResponseWriter, r *request) error {
	var c personChange
	if err := body(r, &c); err != nil {
		return err
	}
	id := r.PathValue("id")
	err := s.People.ChangePerson(r.Context(), r.principal.Actor, id, func(p *access.Person) error {
		set(&p.Name, c.Name)
		set(&p.Roles, c.Roles)
		set(&p.Units, c.Units)
		set(&p.Email, c.Email)
		set(&p.Slack, c.Slack)
		set(&p.Off, c.Off)
		return nil
	})
	if err != nil {
		return err
	}
	p, err := s.People.Person(r.Context(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, p)
}

func set[T any](dst, v *T) {
	if v != nil {
		*dst = *v
	}
}

func (s *server) tokens(w http.ResponseWriter, r *request) error {
	list, err := s.People.Tokens(r.Context())
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Hash = ""
	}
	return answer(w, http.StatusOK, map[string]any{"tokens": nonNil(list)})
}

// issue makes a token; its text is in this answer and nowhere else.
func (s *server) issue(w http.ResponseWriter, r *request) error {
	var t access.Token
	if err := body(r, &t); err != nil {
		return err
	}
	text, stored, err := s.People.Issue(r.Context(), r.principal.Actor, t)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, map[string]any{"token": text, "id": stored.ID})
}

func (s *server) revoke(w http.ResponseWriter, r *request) error {
	if err := s.People.Revoke(r.Context(), r.principal.Actor, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
