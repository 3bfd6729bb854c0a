// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/app"
	"github.com/haidang-soc/haidang/internal/app/client"
)

// remote are the flags of every command that speaks to a server.
type remote struct {
	Server    string `env:"HAIDANG_SERVER" help:"URL of the server; else the socket in --data." placeholder:"URL"`
	TokenFile string `env:"HAIDANG_TOKEN_FILE" help:"File with the bearer token for --server." placeholder:"FILE"`
	Data      string `env:"HAIDANG_DATA" default:"/var/lib/haidang" help:"Data directory of the server on this machine."`
	TZ        string `name:"tz" env:"HAIDANG_TZ" default:"Asia/Ho_Chi_Minh" help:"Zone in which times are shown."`
	JSON      bool   `name:"json" help:"Print what the server answered, for scripts."`
}

func (r *remote) client() (*client.Client, error) {
	c := client.Config{Server: r.Server, Data: r.Data}
	if r.TokenFile != "" {
		data, err := os.ReadFile(r.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		if c.Token = strings.TrimSpace(string(data)); c.Token == "" {
			return nil, fmt.Errorf("--token-file: %s is empty", r.TokenFile)
		}
	}
	return client.New(c)
}

// style is how alerts and times are shown to people.
func (r *remote) style(s *streams) app.Style {
	zone, err := time.LoadLocation(r.TZ)
	if err != nil {
		fmt.Fprintf(s.err, "haidang: --tz: %v; times are shown in the machine's zone\n", err)
		zone = time.Local
	}
	return app.Style{Colour: isTerminal(s.out), Zone: zone}
}
