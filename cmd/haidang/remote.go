// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/haidang-soc/haidang/internal/app/client"
)

// remote are the flags of every command that speaks to a server.
type remote struct {
	Server    string `env:"HAIDANG_SERVER" help:"URL of the server; without it the socket in --data is used." placeholder:"URL"`
	TokenFile string `env:"HAIDANG_TOKEN_FILE" help:"File with the bearer token for --server." placeholder:"FILE"`
	Data      string `env:"HAIDANG_DATA" default:"/var/lib/haidang" help:"Data directory of the server on this machine."`
	JSON      bool   `name:"json" help:"Print what the server answered, for scripts."`
}

func (r *remote) client() (*client.Client, error) {
	c := client.Config{Server: r.Server, Data: r.Data}
	if r.TokenFile != "" {
		data, err := os.ReadFile(r.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		c.Token = strings.TrimSpace(string(data))
	}
	return client.New(c)
}
