// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// haidang runs a command in this process.
func haidang(t *testing.T, stdin string, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(args, &streams{t.Context(), strings.NewReader(stdin), &o, &e})
	return status, o.String(), e.String()
}

// file writes a file of a temporary folder.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestHelp: every command explains itself with an example.
func TestHelp(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Name("haidang"))
	if err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	for _, n := range parser.Model.Leaves(true) {
		path := strings.Fields(n.FullPath())[1:]
		commands = append(commands, path)
		if len(path) > 1 {
			commands = append(commands, path[:len(path)-1])
		}
	}
	if len(commands) < 30 {
		t.Errorf("%d commands", len(commands))
	}
	for _, c := range commands {
		status, out, errs := haidang(t, "", append(c, "--help")...)
		want := "haidang " + strings.Join(c, " ")
		if status != 0 || errs != "" || !strings.Contains(out, "Usage: "+want) ||
			strings.Count(out, "haidang "+c[0]) < 2 || !strings.Contains(out, "Example") {
			t.Errorf("%s --help: status %d, %s%s", want, status, out, errs)
		}
	}
	status, out, _ := haidang(t, "")
	if status != 0 || !strings.Contains(out, "Commands:") {
		t.Errorf("no command: status %d, %s", status, out)
	}
}

// TestMistakes: a mistake of the command line is one line that says what, where to look, and exit status 2.
func TestMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"alrts":                                  `unexpected argument alrts, did you mean "alerts"?; see haidang --help`,
		"alerts":                                 `expected one of`,
		"alerts list --limt 3":                   `unknown flag --limt, did you mean "--limit"?; see haidang alerts list --help`,
		"alerts list --limit x":                  `--limit: expected a valid 64 bit int but got "x"`,
		"alerts show":                            `expected "<id>"; see haidang alerts show --help`,
		"alerts show --data D 12":                `"12" is no alert id`,
		"alerts ack --data D xyz":                `"xyz" is no alert id`,
		"alerts close --data D 12":               `missing flags: --disposition=STRING`,
		"people add --data D":                    `missing flags: --name=STRING, --role=ROLE,...`,
		"query --data D --limit=-1":              `--limit: -1 is not 0 or more`,
		"decode --tz Asia/Hà_Nội":                `--tz: unknown time zone Asia/Hà_Nội`,
		"decode --now hôm_nay":                   `--now: `,
		"decode --encoding vps":                  `--encoding must be one of`,
		"decode --inventory /nowhere/x.yml":      `/nowhere/x.yml`,
		"replay":                                 `expected "<file> ..."`,
		"rules eval":                             `missing flags: --rules=PATH,...`,
		"demo --speed 0":                         `--speed: 0 is not between 1 and 60`,
		"bench --rate 0":                         `--rate and --seconds are at least 1`,
		"server --config /nowhere/haidang.yml":   `/nowhere/haidang.yml`,
		"query --server soc --data D":            `--server: "soc" is no URL`,
		"query --data D --token-file /nowhere/t": `--token-file: `,
	} {
		data := t.TempDir()
		if err := os.WriteFile(filepath.Join(data, "api.sock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		list := strings.Fields(args)
		for i := range list {
			if list[i] == "D" {
				list[i] = data
			}
		}
		status, out, errs := haidang(t, "", list...)
		wantStatus := 2
		if strings.Contains(args, "token-file") || strings.Contains(args, "--server soc") {
			wantStatus = 1
		}
		if status != wantStatus || out != "" || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "haidang: ") ||
			!strings.Contains(errs, want) {
			t.Errorf("%s: status %d, out %q\n%s\nwant %s", args, status, out, errs, want)
		}
	}
	// An empty id is no request for the whole list.
	for _, args := range [][]string{{"alerts", "show", ""}, {"alerts", "ack", ""}, {"people", "off", ""},
		{"people", "revoke", ""}} {
		data := t.TempDir()
		if err := os.WriteFile(filepath.Join(data, "api.sock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if status, _, errs := haidang(t, "", append(args, "--data", data)...); status != 2 {
			t.Errorf("%v: status %d: %s", args, status, errs)
		}
	}
}

func TestNoServer(t *testing.T) {
	status, _, errs := haidang(t, "", "alerts", "list", "--data", t.TempDir())
	if status != 1 || !strings.Contains(errs, "no server runs on the data directory") ||
		!strings.Contains(errs, "HAIDANG_SERVER") {
		t.Errorf("status %d: %s", status, errs)
	}
}

func TestVersion(t *testing.T) {
	if status, out, _ := haidang(t, "", "version"); status != 0 || !strings.HasPrefix(out, "haidang ") {
		t.Errorf("status %d: %s", status, out)
	}
}

// TestDecodeForm: one line in, one document out, in order, whatever the line is.
func TestDecodeForm(t *testing.T) {
	lines := []string{
		"<38>Nov 24 02:10:00 web-01 sshd[1]: Failed password for root from 203.0.113.9 port 4 ssh2",
		"không có gì ở đây",
		"kho\u0302ng co\u0301 gi\u0300 o\u031b\u0309 \u0111a\u0302y", // the same, decomposed
		"",
		"\x00\x01\xff",
		"{\"broken\": ",
		`203.0.113.9 - - [24/Nov/2026:02:10:00 +0700] "GET /d%C3%A2n HTTP/1.1" 200 12 "-" "curl/8"`,
	}
	check := func(out string) {
		t.Helper()
		docs := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if len(docs) != len(lines) {
			t.Fatalf("%d lines, %d documents:\n%s", len(lines), len(docs), out)
		}
		for i, d := range docs {
			var doc struct {
				At    string `json:"@timestamp"`
				Event struct{ Original, Action string }
				Msg   string `json:"message"`
			}
			if err := json.Unmarshal([]byte(d), &doc); err != nil {
				t.Errorf("line %d: %v: %s", i+1, err, d)
			}
			if lines[i] != "" && i != 4 && doc.Event.Original != lines[i] {
				t.Errorf("line %d is out of order or changed: %q", i+1, doc.Event.Original)
			}
			if doc.At == "" {
				t.Errorf("line %d has no time: %s", i+1, d)
			}
			if i == 0 && (doc.Event.Action != "ssh_login" || doc.At != "2026-11-23T19:10:00.000Z" &&
				doc.At != "2026-11-23T19:10:00Z") {
				t.Errorf("line 1: %s", d)
			}
			if i == 2 && doc.Msg != lines[1] {
				t.Errorf("a decomposed line is not composed: %q", doc.Msg)
			}
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	status, out, errs := haidang(t, text, "decode", "--json", "--now", "2026-11-24T02:10:05+07:00")
	if status != 0 || errs != "" {
		t.Fatalf("status %d: %s", status, errs)
	}
	check(out)
	// From a file, from standard input named "-", and without the last line's end.
	path := file(t, "auth.log", strings.TrimSuffix(text, "\n"))
	_, out, _ = haidang(t, "", "decode", "--json", "--now", "2026-11-24T02:10:05+07:00", path)
	check(out)
	_, out, _ = haidang(t, text, "decode", "--json", "--now", "2026-11-24T02:10:05+07:00", "-")
	check(out)
	if status, _, errs := haidang(t, "", "decode", filepath.Join(t.TempDir(), "không-có.log")); status != 1 ||
		!strings.Contains(errs, "không-có.log") {
		t.Errorf("no file: status %d: %s", status, errs)
	}
	// The zone of times that name none.
	_, out, _ = haidang(t, lines[0]+"\n", "decode", "--json", "--tz", "UTC", "--now", "2026-11-24T02:10:05Z")
	if !strings.Contains(out, `"@timestamp":"2026-11-24T02:10:00`) {
		t.Errorf("--tz UTC: %s", out)
	}
	// For people: which decoder, why, and the fields.
	_, out, _ = haidang(t, lines[0]+"\n", "decode")
	if !strings.Contains(out, "sshd") || !strings.Contains(out, "203.0.113.9") {
		t.Errorf("for people: %s", out)
	}
}
