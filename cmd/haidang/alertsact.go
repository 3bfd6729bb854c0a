// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"

	"github.com/haidang-soc/haidang/internal/alert"
)

type alertsAckCmd struct{ on }

// Run acknowledges.
func (c *alertsAckCmd) Run(s *streams) error { return c.act(s, alert.Action{Kind: alert.Acknowledge}) }

type alertsAssignCmd struct {
	on
	To string `required:"" help:"Person id; - takes it from everybody."`
}

// Run assigns.
func (c *alertsAssignCmd) Run(s *streams) error {
	to := c.To
	if to == "-" {
		to = ""
	}
	return c.act(s, alert.Action{Kind: alert.Assign, Assignee: to})
}

type alertsCommentCmd struct{ on }

// Run comments.
func (c *alertsCommentCmd) Run(s *streams) error { return c.act(s, alert.Action{Kind: alert.Comment}) }

type alertsCloseCmd struct {
	on
	Disposition string `required:"" help:"true_positive, false_positive, benign, duplicate or undetermined."`
	DuplicateOf string `help:"Alert id that it repeats, with duplicate."`
}

// Run closes.
func (c *alertsCloseCmd) Run(s *streams) error {
	a := alert.Action{Kind: alert.Close, Disposition: alert.Disposition(c.Disposition)}
	if c.DuplicateOf != "" {
		id, err := alert.ParseID(c.DuplicateOf)
		if err != nil {
			return misused("--duplicate-of: %w", err)
		}
		a.DuplicateOf = id
	}
	return c.act(s, a)
}

type alertsReopenCmd struct{ on }

// Run reopens.
func (c *alertsReopenCmd) Run(s *streams) error { return c.act(s, alert.Action{Kind: alert.Reopen}) }

type alertsDeclareCmd struct {
	on
	Class string `help:"Class of the incident, in your words."`
}

// Run declares.
func (c *alertsDeclareCmd) Run(s *streams) error {
	return c.act(s, alert.Action{Kind: alert.Declare, Class: c.Class})
}

type alertsVerifyCmd struct{ remote }

// Run verifies the chain; a broken one is exit status 1.
func (c *alertsVerifyCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var v struct {
		Entries uint64          `json:"entries"`
		Head    json.RawMessage `json:"head"`
		Intact  bool            `json:"intact"`
		Error   string          `json:"error"`
	}
	if err := remote.Do(s.ctx, "GET", "/verification", nil, &v); err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(v); err != nil {
			return err
		}
	}
	if !v.Intact {
		return &exitError{1, fmt.Errorf("the alert log is broken: %s", v.Error)}
	}
	if c.JSON {
		return nil
	}
	_, err = fmt.Fprintf(s.out, "%d entries, intact; head %s\n", v.Entries, v.Head)
	return err
}
