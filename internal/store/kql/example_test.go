// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package kql_test

import (
	"errors"
	"fmt"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/store/kql"
)

func ExampleParse() {
	e, _ := kql.Parse(`event.outcome:failure and user.name:(root or admin*) and not source.ip: 10.0.0.0/8`)
	fmt.Println(e)
	// Output:
	// event.outcome: failure and (user.name: root or user.name: admin*) and not source.ip: 10.0.0.0/8
}

func ExampleError_Caret() {
	_, err := kql.Parse(`user.name: root and destination.port > ssh`)
	var e *kql.Error
	if errors.As(err, &e) {
		fmt.Println(e)
		fmt.Println(e.Caret())
	}
	// Output:
	// 1:40: expected a number
	// user.name: root and destination.port > ssh
	//                                        ^
}

func ExampleMatch() {
	b := event.NewBuilder("listener/udp514", 1)
	b.Begin(1, 0)
	b.Str(event.Message, "Đăng nhập thất bại cho root")
	b.End()
	ev := b.Batch(1, 2).At(0)
	for _, q := range []string{"dang nhap", "đăng nhập", "đáng nhập", `"that bai"`, "message: root*"} {
		fmt.Println(q, kql.Match(kql.MustParse(q), ev))
	}
	// Output:
	// dang nhap true
	// đăng nhập true
	// đáng nhập false
	// "that bai" true
	// message: root* true
}
