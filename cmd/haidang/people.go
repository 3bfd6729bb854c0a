// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/haidang-soc/haidang/internal/access"
)

type peopleCmd struct {
	Add    peopleAddCmd    `cmd:"" help:"Add a person."`
	List   peopleListCmd   `cmd:"" help:"List people."`
	Off    peopleOffCmd    `cmd:"" help:"Take everything from a person, and keep the entry."`
	Token  peopleTokenCmd  `cmd:"" help:"Make a bearer token for a person or a program; it is printed once."`
	Revoke peopleRevokeCmd `cmd:"" help:"Revoke a token."`
}

// Help is shown by --help.
func (peopleCmd) Help() string {
	return `Example:
  haidang people add lan --name "Nguyễn Thị Lan" --role analyst --unit '*'
  haidang people token --person lan > lan.token
  haidang people token --name "agent web-01" --source 'agent/web-01/*' > agent.token`
}

type peopleAddCmd struct {
	remote
	ID    string   `arg:"" help:"a-z, 0-9, '-', '_', '.'."`
	Name  string   `required:"" help:"Name as people write it."`
	Role  []string `required:"" help:"analyst, lead, admin, viewer."`
	Unit  []string `help:"Unit ids of the inventory; * sees everything."`
	Email string   `help:"E-mail address."`
	Slack string   `help:"Slack member id."`
}

// Run adds.
func (c *peopleAddCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	p := access.Person{ID: c.ID, Name: c.Name, Units: c.Unit, Email: c.Email, Slack: c.Slack}
	for _, r := range c.Role {
		p.Roles = append(p.Roles, access.Role(r))
	}
	if err := remote.Do(s.ctx, "POST", "/people", p, &p); err != nil {
		return err
	}
	return json.NewEncoder(s.out).Encode(p)
}

type peopleListCmd struct{ remote }

// Run lists.
func (c *peopleListCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var list struct {
		People []access.Person `json:"people"`
	}
	if err := remote.Do(s.ctx, "GET", "/people", nil, &list); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(list.People)
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tROLES\tUNITS\tE-MAIL")
	for _, p := range list.People {
		var roles []string
		for _, r := range p.Roles {
			roles = append(roles, string(r))
		}
		if p.Off {
			roles = []string{"(off)"}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Name, strings.Join(roles, ","), strings.Join(p.Units, ","),
			p.Email)
	}
	return w.Flush()
}

type peopleOffCmd struct {
	remote
	ID string `arg:"" help:"Person id."`
}

// Run takes everything from a person.
func (c *peopleOffCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	if c.ID == "" {
		return misused("the person id is empty")
	}
	return remote.Do(s.ctx, "PATCH", "/people/"+url.PathEscape(c.ID), map[string]bool{"off": true}, nil)
}

type peopleTokenCmd struct {
	remote
	Person string        `help:"Whose it is; none makes it a program's."`
	Name   string        `help:"What it is for."`
	Source []string      `help:"Sources that it may write to /v1/spool: names, or prefixes that end in /*."`
	For    time.Duration `help:"How long it works; 0 is until revoked."`
}

// Run prints the token.
func (c *peopleTokenCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	t := access.Token{Name: c.Name, Person: c.Person, Sources: c.Source}
	if t.Name == "" {
		t.Name = "haidang people token"
	}
	if c.Person == "" {
		t.Roles = []access.Role{access.Service}
	}
	if c.For > 0 {
		t.Expires = time.Now().Add(c.For)
	}
	var made struct{ Token, ID string }
	if err := remote.Do(s.ctx, "POST", "/tokens", t, &made); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "token %s: keep it safe, it is not shown again; revoke it: haidang people revoke %s\n", made.ID,
		made.ID)
	_, err = fmt.Fprintln(s.out, made.Token)
	return err
}

type peopleRevokeCmd struct {
	remote
	ID string `arg:"" help:"Token id."`
}

// Run revokes.
func (c *peopleRevokeCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	if c.ID == "" {
		return misused("the token id is empty")
	}
	return remote.Do(s.ctx, "DELETE", "/tokens/"+url.PathEscape(c.ID), nil, nil)
}
