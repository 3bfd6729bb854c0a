// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/app"
)

type alertsCmd struct {
	List    alertsListCmd    `cmd:"" help:"List alerts, newest first."`
	Show    alertsShowCmd    `cmd:"" help:"Show one alert with evidence, legal basis and history."`
	Ack     alertsAckCmd     `cmd:"" help:"Tiếp nhận: say that you look at it."`
	Assign  alertsAssignCmd  `cmd:"" help:"Phân công: give it to a person."`
	Comment alertsCommentCmd `cmd:"" help:"Ghi chú: add a note."`
	Close   alertsCloseCmd   `cmd:"" help:"Đóng: end it with a disposition."`
	Reopen  alertsReopenCmd  `cmd:"" help:"Mở lại: it was not over."`
	Declare alertsDeclareCmd `cmd:"" help:"Xác định sự cố: declare an incident; the legal clocks run from detection."`
	Verify  alertsVerifyCmd  `cmd:"" help:"Walk the hash chain of the alert log."`
}

// Help is shown by --help.
func (alertsCmd) Help() string {
	return `Example:
  haidang alerts list --status open --severity high --severity critical
  haidang alerts show 3f2a…
  haidang alerts close 3f2a… --disposition false_positive --note "máy quét lỗ hổng của Sở"`
}

type alertsListCmd struct {
	remote
	Status   []string `help:"open, acknowledged or closed."`
	Severity []string `help:"info, low, medium, high or critical."`
	System   []string `help:"System ids."`
	Text     string   `help:"Words, with or without diacritics."`
	Limit    int      `default:"50" help:"How many, 1 to 1000."`
}

// Run lists.
func (c *alertsListCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	v := url.Values{"status": c.Status, "severity": c.Severity, "system": c.System, "text": {c.Text},
		"limit": {strconv.Itoa(c.Limit)}}
	var page struct {
		Alerts []json.RawMessage `json:"alerts"`
		Total  int               `json:"total"`
	}
	if err := remote.Do(s.ctx, "GET", "/alerts?"+v.Encode(), nil, &page); err != nil {
		return err
	}
	for _, doc := range page.Alerts {
		if c.JSON {
			fmt.Fprintf(s.out, "%s\n", doc)
			continue
		}
		fmt.Fprintln(s.out, app.AlertLine(doc, c.style(s)))
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "%d/%d cảnh báo\n", len(page.Alerts), page.Total)
	}
	return nil
}

type alertsShowCmd struct {
	remote
	ID string `arg:"" help:"Alert id."`
}

// Run shows.
func (c *alertsShowCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var doc json.RawMessage
	path, err := alertPath(c.ID)
	if err != nil {
		return err
	}
	if err := remote.Do(s.ctx, "GET", path, nil, &doc); err != nil {
		return err
	}
	if c.JSON {
		_, err = fmt.Fprintf(s.out, "%s\n", doc)
		return err
	}
	return app.ShowAlert(s.out, doc, c.style(s))
}

// alertPath is where the API has an alert.
func alertPath(id string) (string, error) {
	x, err := alert.ParseID(id)
	if err != nil {
		return "", misused("%q is no alert id: give 32 hex digits, as haidang alerts list prints them", id)
	}
	return "/alerts/" + x.String(), nil
}

// on is the alert that an action is about, and the words that go with it.
type on struct {
	remote
	ID   string `arg:"" help:"Alert id."`
	Note string `help:"Why, for whoever reads the history."`
}

func (c *on) act(s *streams, a alert.Action) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	a.Note = c.Note
	var doc json.RawMessage
	path, err := alertPath(c.ID)
	if err != nil {
		return err
	}
	if err := remote.Do(s.ctx, "POST", path+"/actions", a, &doc); err != nil {
		return err
	}
	if c.JSON {
		_, err = fmt.Fprintf(s.out, "%s\n", doc)
		return err
	}
	_, err = fmt.Fprintln(s.out, app.AlertLine(doc, c.style(s)))
	return err
}
