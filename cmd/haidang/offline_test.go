// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodRule = `title: Đăng nhập sai
id: 5b6f9a52-6f0e-4b5e-9d0b-3c1c2f0a7e11
level: high
logsource: {product: linux, service: sshd}
detection:
  sel:
    event.action: ssh_login
    event.outcome: failure
  condition: sel
`

const badRule = `title: hỏng
logsource: {product: linux}
detection: {sel: {a|nothing: 1}, condition: sel}
`

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRulesEvalForm: the refused rules are told one a line and make it exit 3, the others are evaluated all the same.
func TestRulesEvalForm(t *testing.T) {
	doc := `{"event":{"action":"ssh_login","outcome":"failure"}}` + "\n"
	good := folder(t, map[string]string{"a.yml": goodRule})
	both := folder(t, map[string]string{"a.yml": goodRule, "b.yml": badRule})
	hit := func(n string) string {
		return `{"rule":"5b6f9a52-6f0e-4b5e-9d0b-3c1c2f0a7e11","event":` + n + `}` + "\n"
	}

	status, out, errs := haidang(t, doc+"{}\n"+doc, "rules", "eval", "--rules", good)
	if status != 0 || errs != "" || out != hit("1")+hit("3") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
	status, out, errs = haidang(t, doc, "rules", "eval", "--rules", both)
	if status != 3 || out != hit("1") || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "b.yml:") {
		t.Errorf("with a refused rule: status %d, %q, %q", status, out, errs)
	}
	// Numbered over all files, whatever their form.
	a, b := file(t, "a.ndjson", "{}\n"+doc), file(t, "b.ndjson",
		`{"event.action":"ssh_login","event.outcome":"failure"}`+"\n")
	status, out, errs = haidang(t, "", "rules", "eval", "--rules", good, a, b)
	if status != 0 || out != hit("2")+hit("3") {
		t.Errorf("two files: status %d, %q, %q", status, out, errs)
	}
	if status, _, errs := haidang(t, "", "rules", "eval", "--rules", "/nowhere"); status != 1 || errs == "" {
		t.Errorf("no rules: status %d, %q", status, errs)
	}
	if status, _, errs := haidang(t, "", "rules", "eval", "--rules", good, "/nowhere"); status != 1 || errs == "" {
		t.Errorf("no file: status %d, %q", status, errs)
	}
}

func TestRulesTest(t *testing.T) {
	const tests = `tests:
  - name: %s
    kind: firing
    input: [{at: 1s, event: {event.action: ssh_login, event.outcome: failure}}]
    alerts: [{rule: 5b6f9a52-6f0e-4b5e-9d0b-3c1c2f0a7e11, at: %s}]
`
	for at, want := range map[string]int{"1s": 0, "7s": 1} {
		text := strings.Replace(strings.Replace(tests, "%s", "một lần", 1), "%s", at, 1)
		dir := folder(t, map[string]string{"a.yml": goodRule, "a_test.yml": text})
		status, out, errs := haidang(t, "", "rules", "test", dir)
		if status != want || !strings.Contains(out, " passed, ") {
			t.Errorf("at %s: status %d\n%s%s", at, status, out, errs)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := folder(t, map[string]string{"ok.yml": "data: data\n", "wrong.yml": "data: data\nrulez: []\n",
		"refused.yml": "rules: [hỏng.yml]\n", "hỏng.yml": badRule, "inv.yml": "inventory: danh-mục.yml\n",
		"sink.yml":     "sinks:\n- slack: {channel: \"#báo-động\", token: xoxb-1}\n",
		"danh-mục.yml": "systems:\n  - id: dvc\n    name: Cổng\n    levle: 3\n"})
	for name, want := range map[string]struct {
		status int
		out    string
	}{
		"ok.yml":      {0, "rules "},
		"wrong.yml":   {1, `wrong.yml:2: unknown key "rulez" (did you mean "rules"?)`},
		"refused.yml": {3, "hỏng.yml:"},
		"inv.yml":     {1, "danh-mục.yml:4:"},
		"sink.yml":    {1, "slack: channel"},
		"nowhere.yml": {1, "nowhere.yml"},
	} {
		status, out, errs := haidang(t, "", "check", "--config", filepath.Join(dir, name))
		if status != want.status || !strings.Contains(out+errs, want.out) {
			t.Errorf("%s: status %d\n%s%s", name, status, out, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("check made the data directory")
	}
}

// TestReplayForm: one final document an alert, or every update; no server.
func TestReplayForm(t *testing.T) {
	var log strings.Builder
	for i := range 3 {
		log.WriteString("<38>Nov 24 02:10:0" + string(rune('0'+i)) +
			" web-01 sshd[1]: Failed password for trần from 203.0.113.9 port 4 ssh2\n")
	}
	log.WriteString("<38>Nov 24 02:11:00 web-01 sshd[1]: Failed password for trần from 203.0.113.9 port 4 ssh2\n")
	path, rules := file(t, "auth.log", log.String()), folder(t, map[string]string{"a.yml": goodRule})
	updates := map[bool]int{}
	for _, all := range []bool{false, true} {
		args := []string{"replay", "--rules", rules, path}
		if all {
			args = append(args, "--updates")
		}
		status, out, errs := haidang(t, "", args...)
		if status != 0 || !strings.Contains(errs, "4 events from ") {
			t.Fatalf("status %d: %s", status, errs)
		}
		docs := strings.Split(strings.TrimSpace(out), "\n")
		updates[all] = len(docs)
		var last struct {
			Event   struct{ Kind string }
			Rule    struct{ Name string }
			Haidang struct {
				Alert struct {
					Count  uint64
					Update uint32
				}
			}
		}
		if err := json.Unmarshal([]byte(docs[len(docs)-1]), &last); err != nil {
			t.Fatal(err)
		}
		if last.Event.Kind != "signal" || last.Haidang.Alert.Count != 4 || last.Rule.Name != "Đăng nhập sai" {
			t.Errorf("updates %v: %s", all, docs[len(docs)-1])
		}
	}
	if updates[false] != 1 || updates[true] < 2 {
		t.Errorf("documents: %v", updates)
	}
	if status, out, errs := haidang(t, "", "replay", file(t, "empty.log", "")); status != 0 || out != "" ||
		strings.TrimSpace(errs) != "no events" {
		t.Errorf("an empty file: status %d, %q, %q", status, out, errs)
	}
	if status, _, errs := haidang(t, "", "replay", "/nowhere.log"); status != 1 || !strings.Contains(errs, "/nowhere.log") {
		t.Errorf("no file: status %d, %q", status, errs)
	}
}

func TestFlowsExit(t *testing.T) {
	dir := folder(t, map[string]string{"1.bin": "no flow"})
	if status, out, errs := haidang(t, "", "flows", dir); status != 1 || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
}
