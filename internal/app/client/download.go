// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"syscall"

	"github.com/haidang-soc/haidang/internal/backup"
)

// partSize is how much of a file one request asks for, in bytes.
const partSize = 16 << 20

// Image asks the server for an image of its data, or for the one with the id if it still has it.
func (c *Client) Image(ctx context.Context, id string) (*backup.Image, error) {
	m := new(backup.Image)
	return m, c.Do(ctx, http.MethodPost, "/backup", map[string]string{"image": id}, m)
}

// DropImage lets go of an image.
func (c *Client) DropImage(ctx context.Context, id string) error {
	return c.Do(ctx, http.MethodDelete, "/backup/"+url.PathEscape(id), nil, nil)
}

// OpenImage opens a file of an image, as backup.OpenFunc says.
func (c *Client) OpenImage(id string) backup.OpenFunc {
	return func(ctx context.Context, f backup.File, offset int64) (io.ReadCloser, error) {
		return &parts{c: c, ctx: ctx, image: id, f: f, at: offset}, nil
	}
}

// parts reads a file request by request.
type parts struct {
	c     *Client
	ctx   context.Context
	image string
	f     backup.File
	at    int64
	body  io.ReadCloser
	got   bool // this body had something
}

// Read reads on, and asks for the next part at the end of one.
func (p *parts) Read(buf []byte) (int, error) {
	for {
		if p.body == nil {
			if p.at >= p.f.Size {
				return 0, io.EOF
			}
			v := url.Values{"path": {p.f.Path}, "offset": {strconv.FormatInt(p.at, 10)},
				"length": {strconv.FormatInt(min(partSize, p.f.Size-p.at), 10)}}
			resp, err := p.c.open(p.ctx, http.MethodGet, "/backup/"+url.PathEscape(p.image)+"/file?"+v.Encode(), nil)
			if err != nil {
				return 0, err
			}
			p.body, p.got = resp.Body, false
		}
		n, err := p.body.Read(buf)
		p.at += int64(n)
		p.got = p.got || n > 0
		if err == io.EOF {
			_ = p.body.Close()
			p.body = nil
			if !p.got {
				return n, io.ErrUnexpectedEOF
			}
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close ends the request under way.
func (p *parts) Close() error {
	if p.body == nil {
		return nil
	}
	return p.body.Close()
}

// NotRunning reports whether an error of New or Do says that no server runs on the data directory.
func NotRunning(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}
