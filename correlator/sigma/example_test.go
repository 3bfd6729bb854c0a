// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"

	"github.com/haidang-soc/haidang/correlator/sigma"
)

// A file holds a detection, a correlation over it, and a rule that is refused.
func Example() {
	docs, refused := sigma.Parse("ssh.yml", []byte(`title: Đăng nhập SSH sai
name: ssh_failed
logsource: {product: linux, service: sshd}
detection:
    selection: {event.action: ssh_login, event.outcome: failure}
    condition: selection
---
title: Dò mật khẩu SSH
correlation:
    type: event_count
    rules: [ssh_failed]
    group-by: [source.ip]
    timespan: 10m
    condition: {gte: 10}
haidang:
    by_level: {3: {gte: 5}, 4: {gte: 3}}
---
title: Sai
logsource: {product: linux}
detection:
    selection: {a|sounds_like: b}
    condition: selection
`))
	for _, d := range docs {
		if c := d.Correlation; c != nil {
			fmt.Println(c.Title, c.Type, c.Timespan, "level 4:", c.ThresholdAt(4))
		} else {
			fmt.Println(d.Rule.Title, d.Rule.LogSource.Service, d.Rule.Conditions[0].Root)
		}
	}
	fmt.Println(refused[0])
	// Output:
	// Đăng nhập SSH sai sshd selection
	// Dò mật khẩu SSH event_count 10m0s level 4: [{gte 3}]
	// ssh.yml:21: Sai: modifier "sounds_like" of "a" is not supported
}
