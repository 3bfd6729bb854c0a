// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"fmt"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/collectors/collectorstest"
)

func TestConformance(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			collectorstest.Run(t, func(t *testing.T, dir string) collectorstest.Subject {
				cfg := Config{Name: "conformance", StateDir: dir, Drain: time.Second, MaxEvents: 7}
				if network == "udp" {
					cfg.UDP = []string{"127.0.0.1:0"}
				} else {
					cfg.TCP = []string{"127.0.0.1:0"}
				}
				c, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				return collectorstest.Subject{
					Collector: c,
					Ready:     func() bool { return c.Addrs() != nil },
					Send: func(t *testing.T, n int) {
						conn := dial(t, c.Addrs()[0])
						for i := range n {
							send(t, conn, fmt.Sprintf("<13>message %d\n", i))
						}
						_ = conn.Close()
					},
				}
			})
		})
	}
}
