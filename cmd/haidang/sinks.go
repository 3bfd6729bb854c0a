// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"text/tabwriter"

	"github.com/haidang-soc/haidang/internal/sinks"
)

type sinksCmd struct {
	List  sinksListCmd  `cmd:"" help:"How each sink fares."`
	Dead  sinksDeadCmd  `cmd:"" help:"List the deliveries that a sink gave up."`
	Retry sinksRetryCmd `cmd:"" help:"Try deliveries again that a sink gave up, after their cause was mended."`
}

// Help is shown by --help.
func (sinksCmd) Help() string {
	return `Example:
  haidang sinks list
  haidang sinks dead slack-truc
  haidang sinks retry slack-truc        all of them
  haidang sinks retry slack-truc 17 21  two of them`
}

type sinksListCmd struct{ remote }

// Run lists.
func (c *sinksListCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var list struct {
		Sinks []sinks.Status `json:"sinks"`
	}
	if err := remote.Do(s.ctx, "GET", "/sinks", nil, &list); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(list.Sinks)
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSENT\tWAITING\tDEAD\tLAST ERROR")
	for _, k := range list.Sinks {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", k.Name, k.Sent, k.Waiting, k.Dead, k.LastError)
	}
	return w.Flush()
}

type sinksDeadCmd struct {
	remote
	Name string `arg:"" help:"The sink."`
}

// Run lists.
func (c *sinksDeadCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var list struct {
		Letters []sinks.DeadLetter `json:"letters"`
	}
	if err := remote.Do(s.ctx, "GET", "/sinks/"+url.PathEscape(c.Name)+"/dead", nil, &list); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(list.Letters)
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "LETTER\tALERT\tUPDATE\tWHAT\tTRIES\tGIVEN UP\tCAUSE")
	for _, l := range list.Letters {
		at := l.At.Local().Format("02/01/2006 15:04:05")
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%d\t%s\t%s\n", l.Seq, l.Alert, l.Update, l.Change, l.Tries, at, l.Error)
	}
	return w.Flush()
}

type sinksRetryCmd struct {
	remote
	Name    string   `arg:"" help:"The sink."`
	Letters []uint64 `arg:"" optional:"" help:"Numbers from 'sinks dead'; none means all."`
}

// Run has them tried again.
func (c *sinksRetryCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	what := map[string]any{"letters": c.Letters}
	var done struct {
		Retried int `json:"retried"`
	}
	if err := remote.Do(s.ctx, "POST", "/sinks/"+url.PathEscape(c.Name)+"/retry", what, &done); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d deliveries are tried again\n", done.Retried)
	return err
}
