// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package client speaks the HTTP API for the command line: over the network with a token, else through the socket in
// the data directory, where whoever may open it is an administrator.
//
// It tries once and shows the server's own words: a problem's title and detail are what the person reads.
package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/store/kql"
)

// Config says which server.
type Config struct {
	Server string // URL; empty speaks through <Data>/api.sock
	Token  string // bearer token, for Server
	Data   string // data directory
}

// Client speaks to one server. Safe for concurrent use.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New checks the configuration and opens nothing.
func New(c Config) (*Client, error) {
	if c.Server != "" {
		u, err := url.Parse(c.Server)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("--server: %q is no URL such as https://soc.tinh.example", c.Server)
		}
		return &Client{strings.TrimRight(c.Server, "/"), c.Token, &http.Client{}}, nil
	}
	socket := filepath.Join(c.Data, "api.sock")
	if _, err := os.Stat(socket); err != nil {
		return nil, fmt.Errorf("no server runs on the data directory %s (%w): start one, or name it with --server or "+
			"HAIDANG_SERVER", c.Data, err)
	}
	return &Client{"http://haidang", "", &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}}, nil
}

// Problem is what the server refused with.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Line   int    `json:"line"`   // of a query that cannot be read, from 1; else 0
	Column int    `json:"column"` // of the character in it
}

// Caret is the line of the query that was sent, with a caret under the character that the problem is about.
func (p *Problem) Caret(query string) string {
	return (&kql.Error{Query: query, Line: p.Line, Column: p.Column}).Caret()
}

// Error is title and detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// Do sends a request to /api/v1<path> and decodes the answer into out, unless that is nil.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	resp, err := c.open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}

func (c *Client) open(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("speaking to the server: %w", err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	p := &Problem{Title: resp.Status, Status: resp.StatusCode}
	if data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10)); err == nil {
		_ = json.Unmarshal(data, p) // what is no problem keeps the status line
	}
	return nil, p
}

// Stream yields the data of each server-sent event until ctx is done, the server stops or each returns an error.
func (c *Client) Stream(ctx context.Context, path string, each func(data []byte) error) error {
	resp, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
			if err := each(data); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errors.New("the server ended the stream"), lines.Err())
}

// Raw returns the body of what is served outside the API, such as /readyz, whatever the status; up to 1 MiB.
func (c *Client) Raw(ctx context.Context, method, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("speaking to the server: %w", err)
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}
