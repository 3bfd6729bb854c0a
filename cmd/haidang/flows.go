// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"

	"github.com/haidang-soc/haidang/collectors/netflow"
)

type flowsCmd struct {
	Path []string `arg:"" help:"pcap or pcapng files, or folders of .bin files (one UDP payload each)."`
}

// Help is shown by --help.
func (flowsCmd) Help() string {
	return `Example:
  tcpdump -w export.pcap udp port 2055      # on the collector's machine
  haidang flows export.pcap | jq -c '[.source.ip, .destination.ip, .source.bytes]'

What cannot be decoded is told on stderr, with the exporter and the reason, and the exit status is 1.`
}

// Run prints one flow a line.
func (c flowsCmd) Run(s *streams) error {
	out := bufio.NewWriterSize(s.out, 64<<10)
	problems := 0
	err := netflow.Render(s.ctx, out, c.Path, func(err error) {
		problems++
		fmt.Fprintln(s.err, err)
	})
	if err := out.Flush(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	if problems > 0 {
		return &exitError{status: 1}
	}
	return nil
}
