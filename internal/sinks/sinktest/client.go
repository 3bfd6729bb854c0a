// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
)

// Client returns a client whose requests go straight to h, without sockets, so that it works in fake time. A handler
// that panics with http.ErrAbortHandler has dropped the connection.
func Client(h http.Handler) *http.Client { return &http.Client{Transport: direct{h}} }

type direct struct{ h http.Handler }

// RoundTrip calls the handler.
func (d direct) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			if perr, ok := p.(error); ok && errors.Is(perr, http.ErrAbortHandler) {
				resp, err = nil, io.ErrUnexpectedEOF
				return
			}
			panic(p)
		}
	}()
	if req.Body == nil {
		req.Body = http.NoBody
	}
	d.h.ServeHTTP(w, req)
	return w.Result(), nil
}
