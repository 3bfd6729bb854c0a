// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/app/client"
)

type queryCmd struct {
	remote
	Query string   `arg:"" optional:"" help:"KQL; none finds everything."`
	From  string   `default:"now-24h" help:"RFC 3339, a day, or now-15m."`
	To    string   `help:"RFC 3339, a day, or now; without it everything up to now."`
	Limit int      `default:"20" help:"How many events; 0 prints all, oldest page last."`
	By    []string `help:"Count: histogram:1h, top:source.ip:10, distinct:user.name." sep:"none" placeholder:"BUCKET"`
}

// Help is shown by --help.
func (queryCmd) Help() string {
	return `Example:
  haidang query 'source.ip: 203.0.113.0/24 and event.outcome: failure' --from now-1h
  haidang query 'đăng nhập' --by histogram:10m
  haidang query 'haidang.level >= 3' --by top:source.ip:5 --json`
}

// point adds the line of the query that cannot be read, with a caret under the character.
func (c *queryCmd) point(err error) error {
	var p *client.Problem
	if errors.As(err, &p) && p.Line > 0 {
		return misused("%w\n%s", err, p.Caret(c.Query))
	}
	return err
}

// Run asks the server.
func (c *queryCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	if c.Limit < 0 {
		return misused("--limit: %d is not 0 or more", c.Limit)
	}
	v := url.Values{"q": {c.Query}, "from": {c.From}, "to": {c.To}}
	out := bufio.NewWriter(s.out)
	defer out.Flush()
	if len(c.By) > 0 {
		v["by"] = c.By
		var t table
		if err := remote.Do(s.ctx, "GET", "/stats?"+v.Encode(), nil, &t); err != nil {
			return c.point(err)
		}
		if c.JSON {
			return json.NewEncoder(out).Encode(t)
		}
		t.draw(out)
		return nil
	}
	zone := c.style(s).Zone
	left := c.Limit
	for {
		page := 1000
		if c.Limit > 0 {
			page = min(left, page)
		}
		v.Set("limit", strconv.Itoa(page))
		var answer struct {
			Events []json.RawMessage `json:"events"`
			After  string            `json:"after"`
		}
		if err := remote.Do(s.ctx, "GET", "/events?"+v.Encode(), nil, &answer); err != nil {
			return c.point(err)
		}
		for _, doc := range answer.Events {
			if c.JSON {
				fmt.Fprintf(out, "%s\n", doc)
				continue
			}
			fmt.Fprintln(out, eventLine(doc, zone))
		}
		left -= len(answer.Events)
		if answer.After == "" || c.Limit > 0 && left <= 0 {
			return nil
		}
		v.Set("after", answer.After)
	}
}

type table struct {
	Rows []struct {
		Keys     []string `json:"keys,omitempty"`
		Count    uint64   `json:"count"`
		Distinct []uint64 `json:"distinct,omitempty"`
	} `json:"rows"`
	Total uint64  `json:"total"`
	Done  float64 `json:"done"`
}

// draw prints a row a line with a bar: people would rather look than read.
func (t *table) draw(out *bufio.Writer) {
	most, width := uint64(1), 0
	for _, r := range t.Rows {
		most = max(most, r.Count)
		width = max(width, len([]rune(strings.Join(r.Keys, "  "))))
	}
	for _, r := range t.Rows {
		key := strings.Join(r.Keys, "  ")
		fmt.Fprintf(out, "%-*s %10d", width, key, r.Count)
		for _, d := range r.Distinct {
			fmt.Fprintf(out, " %10d", d)
		}
		fmt.Fprintf(out, "  %s\n", strings.Repeat("█", int(r.Count*40/most)))
	}
	fmt.Fprintf(out, "%d events\n", t.Total)
}

// eventLine is one event in a line for people: local time, host or address, dataset, message.
func eventLine(doc json.RawMessage, zone *time.Location) string {
	var e struct {
		At      time.Time `json:"@timestamp"`
		Message string    `json:"message"`
		Event   struct{ Dataset, Action, Outcome, Original string }
		Host    struct{ Name string }
		Source  struct {
			IP    string
			Bytes int64
		}
		Destination struct {
			IP   string
			Port int
		}
		User struct{ Name string }
	}
	if err := json.Unmarshal(doc, &e); err != nil {
		return string(doc)
	}
	parts := []string{e.At.In(zone).Format("2006-01-02 15:04:05"), e.Event.Dataset}
	for _, p := range []string{e.Host.Name, e.Event.Action, e.Event.Outcome} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Source.IP != "" {
		to := ""
		if e.Destination.IP != "" {
			to = fmt.Sprintf(" → %s:%d", e.Destination.IP, e.Destination.Port)
		}
		parts = append(parts, e.Source.IP+to)
	}
	if e.Message != "" {
		parts = append(parts, strings.Join(strings.Fields(e.Message), " "))
	}
	return strings.Join(parts, "  ")
}
