// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
	"github.com/haidang-soc/haidang/internal/backup"
)

// makeImage has the server hold an image of its data still, or finds the one that a copy was begun from.
func (s *server) makeImage(w http.ResponseWriter, r *request) error {
	var ask struct {
		Image string `json:"image"` // of the copy that was cut off
	}
	if err := body(r, &ask); err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // making rows durable may take its time
	m, err := s.Images.Make(r.Context(), ask.Image)
	if err != nil {
		return err
	}
	if m.ID != ask.Image {
		if err := s.backedUp(r, m.ID); err != nil {
			return err
		}
	}
	return answer(w, http.StatusOK, m)
}

// backedUp writes to the audit who took the data out.
func (s *server) backedUp(r *request, id string) error {
	return s.People.Audit().Append(access.Entry{At: s.Now(), Actor: r.principal.Actor, Action: "backup.make",
		Target: id, OK: true})
}

// imageFile answers with a part of a file: length bytes from offset on, fewer at its end.
func (s *server) imageFile(w http.ResponseWriter, r *request) error {
	v := r.URL.Query()
	offset, err := strconv.ParseInt(v.Get("offset"), 10, 64)
	length, err2 := strconv.ParseInt(v.Get("length"), 10, 64)
	if err != nil || err2 != nil || offset < 0 || length < 0 || length > maxImagePart {
		return badRequest("offset and length: want numbers of bytes, length at most %d", maxImagePart)
	}
	f, err := s.Images.Open(r.PathValue("id"), v.Get("path"))
	if err != nil {
		return noImage(err)
	}
	defer f.Close()
	head(w, "application/octet-stream")
	_, _ = io.Copy(w, io.NewSectionReader(f, offset, length)) // what is cut off is noticed by its length
	return nil
}

// maxImagePart is the most that one answer carries of a file, in bytes: it must come through within the time for one.
const maxImagePart = 64 << 20

// dropImage lets go of an image.
func (s *server) dropImage(w http.ResponseWriter, r *request) error {
	if err := s.Images.Drop(r.PathValue("id")); err != nil {
		return noImage(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func noImage(err error) error {
	if errors.Is(err, backup.ErrNoImage) {
		return &problem{Status: http.StatusNotFound, Title: "not found", Detail: err.Error()}
	}
	return err
}
