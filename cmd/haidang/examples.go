// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/alecthomas/kong"

// examples are those of the commands below another one; the others have a Help method.
func examples(command string) string {
	return map[string]string{
		"haidang alerts list":    "haidang alerts list --status open --severity critical --system dvc --text 'đăng nhập'",
		"haidang alerts show":    "haidang alerts show 5c1f0c2e9a7b4d3e8f60718293a4b5c6",
		"haidang alerts ack":     "haidang alerts ack 5c1f0c2e9a7b4d3e8f60718293a4b5c6",
		"haidang alerts assign":  "haidang alerts assign 5c1f0c2e9a7b4d3e8f60718293a4b5c6 --to lan --note 'ca đêm'",
		"haidang alerts comment": "haidang alerts comment 5c1f0c2e9a7b4d3e8f60718293a4b5c6 --note 'đã gọi đơn vị vận hành'",
		"haidang alerts close": "haidang alerts close 5c1f0c2e9a7b4d3e8f60718293a4b5c6 --disposition false_positive " +
			"--note 'máy quét lỗ hổng của Sở'",
		"haidang alerts reopen":  "haidang alerts reopen 5c1f0c2e9a7b4d3e8f60718293a4b5c6 --note 'lại xuất hiện'",
		"haidang alerts declare": "haidang alerts declare 5c1f0c2e9a7b4d3e8f60718293a4b5c6 --class 'chiếm quyền máy chủ'",
		"haidang alerts verify":  "haidang alerts verify",
		"haidang ledger show":    "haidang ledger --json",
		"haidang ledger origins": "haidang ledger origins --all",
		"haidang ledger adopt":   "haidang ledger adopt 10.10.1.99 --system portal --site dc1",
		"haidang people add":     "haidang people add lan --name 'Nguyễn Thị Lan' --role analyst --unit '*'",
		"haidang people list":    "haidang people list --json",
		"haidang people off":     "haidang people off lan",
		"haidang people token": "haidang people token --person lan > lan.token\n" +
			"  haidang people token --name 'agent web-01' --source 'agent/web-01/*' > agent.token",
		"haidang people revoke": "haidang people revoke 0a1b2c3d4e5f",
		"haidang rules test":    "haidang rules test rules/ --run 'cấp độ 3'",
		"haidang rules eval": "haidang rules eval --rules rules/linux events.ndjson\n\n" +
			`Prints {"rule": id, "event": n}, n counted from 1 over all files, ordered by event, then rule. Refused rules go` +
			"\nto stderr, one a line, and the exit status is 3.",
		"haidang sinks list":  "haidang sinks list",
		"haidang sinks dead":  "haidang sinks dead slack-truc",
		"haidang sinks retry": "haidang sinks retry slack-truc 17 21",
		"haidang version":     "haidang version",
	}[command]
}

// showExamples gives every command without help of its own an example.
func showExamples(app *kong.Application) {
	for _, n := range app.Leaves(false) {
		if text := examples(n.FullPath()); n.Detail == "" && text != "" {
			n.Detail = "Example:\n  " + text
		}
	}
}
