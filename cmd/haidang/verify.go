// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/haidang-soc/haidang/dashboards/console/api"
)

type verifyCmd struct {
	remote
	Events string `required:"" help:"Day whose events are compared with what the day's manifests say." placeholder:"DAY"`
}

// Help is shown by --help.
func (verifyCmd) Help() string {
	return `Example:
  haidang verify --events 2026-11-28

A day (UTC, by the events' own time) is closed 24 hours after its end: how many events each retention class has, which
ones, and what they say goes into a chain of hashes, <data>/manifests.ndjson. This computes it anew. The exit status is
1 when an event was changed, added or taken out since, or the chain is broken.`
}

// Run asks the server.
func (c *verifyCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var v api.DayVerification
	query := url.Values{"day": {c.Events}}
	if err := remote.Do(s.ctx, "GET", "/verification/events?"+query.Encode(), nil, &v); err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(v); err != nil {
			return err
		}
	} else {
		for _, d := range v.Differences {
			fmt.Fprintln(s.out, d)
		}
	}
	switch {
	case len(v.Differences) > 0:
		return &exitError{1, fmt.Errorf("%s is not what it was when it was closed", c.Events)}
	case len(v.Classes) == 0:
		return fmt.Errorf("%s has no manifest: it is not closed yet, or had no events", c.Events)
	case !c.JSON:
		fmt.Fprintf(s.out, "%s: %d events in %d classes, as when it was closed\n", c.Events, v.Events, len(v.Classes))
	}
	return nil
}
