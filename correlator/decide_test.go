// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package correlator_test

import (
	"fmt"
	"time"

	"github.com/haidang-soc/haidang/correlator"
	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// ExampleDecide asks a detection and a correlation about four logins.
func ExampleDecide() {
	c := &sigma.Collection{}
	c.Add("login.yml", []byte(`
title: Đăng nhập sai
name: failed
logsource: {category: authentication}
detection: {selection: {event.outcome: failure}, condition: selection}
---
title: Dò mật khẩu
correlation:
  type: event_count
  rules: [failed]
  group-by: [user.name]
  timespan: 1m
  condition: {gte: 3}
`))
	c.Resolve()
	rules, refused := correlator.Compile(c)
	fmt.Println("refused:", len(c.Refusals)+len(refused))

	b := event.NewBuilder("example", 0)
	for i := range uint64(4) {
		b.Begin(i+1, 0)
		b.Time(event.Timestamp, time.Date(2026, 9, 2, 2, 10, int(i), 0, time.UTC).UnixNano())
		b.Str(event.UserName, "nguyễn")
		if b.Str(event.EventOutcome, "failure"); i == 1 {
			b.Str(event.EventOutcome, "success")
		}
		b.End()
	}
	for _, d := range correlator.Decide(rules, b.Batch(1, 5)) {
		fmt.Println(d.Event.Unit(), d.Rule)
	}
	// Output:
	// refused: 0
	// 1 Đăng nhập sai
	// 3 Đăng nhập sai
	// 4 Đăng nhập sai
	// 4 Dò mật khẩu
}
