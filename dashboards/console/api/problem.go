// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/spool"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

// problem is an RFC 9457 problem, and the error that leads to it.
type problem struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Line   int    `json:"line,omitempty"`   // of a query, from 1
	Column int    `json:"column,omitempty"` // of a query, from 1, in characters
}

// Error is the title and the detail.
func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func badRequest(format string, args ...any) *problem {
	return &problem{Status: http.StatusBadRequest, Title: "bad request", Detail: fmt.Sprintf(format, args...)}
}

// explain finds the status of an error of the packages behind the API.
func explain(err error) *problem {
	var syntax *kql.Error
	switch {
	case errors.As(err, &syntax):
		return &problem{Status: http.StatusBadRequest, Title: "the query cannot be read", Detail: syntax.Error(),
			Line: syntax.Line, Column: syntax.Column}
	case errors.Is(err, alert.ErrNotFound), errors.Is(err, access.ErrNotFound):
		return &problem{Status: http.StatusNotFound, Title: "not found", Detail: err.Error()}
	case errors.Is(err, alert.ErrRefused):
		return &problem{Status: http.StatusConflict, Title: "the action is refused", Detail: err.Error()}
	case errors.Is(err, access.ErrInvalid):
		return &problem{Status: http.StatusBadRequest, Title: "bad request", Detail: err.Error()}
	case errors.Is(err, access.ErrExists):
		return &problem{Status: http.StatusConflict, Title: "exists already", Detail: err.Error()}
	case errors.Is(err, ErrUnavailable), errors.Is(err, spool.ErrFull):
		return &problem{Status: http.StatusServiceUnavailable, Title: "not now", Detail: err.Error()}
	case errors.Is(err, access.ErrDenied):
		return &problem{Status: http.StatusForbidden, Title: "not allowed", Detail: err.Error()}
	}
	return &problem{Status: http.StatusInternalServerError, Title: "the server failed", Detail: err.Error()}
}

func refuse(w http.ResponseWriter, p *problem) {
	head(w, "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
