// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// fake is a server that gives one answer.
func fake(t *testing.T, status int, body string) (url string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// TestCaret: a query that cannot be read is shown with a caret under the character, also behind marks and spaces.
func TestCaret(t *testing.T) {
	url, _ := fake(t, 400, `{"title":"the query cannot be read","status":400,"detail":"1:15: no value","line":1,"column":15}`)
	query := "  user.name: ậ"
	status, out, errs := haidang(t, "", "query", query, "--server", url)
	lines := strings.Split(strings.TrimSuffix(errs, "\n"), "\n")
	if status != 2 || out != "" || len(lines) != 3 || lines[1] != query ||
		lines[2] != strings.Repeat(" ", 14)+"^" || !strings.Contains(lines[0], "the query cannot be read") {
		t.Errorf("status %d, %q\n%s", status, out, errs)
	}
}

func TestRemote(t *testing.T) {
	id := "00112233445566778899aabbccddeeff"
	token := file(t, "token", "hdt_abc_def\n")
	f := func(status int, body string, want int, text string, args ...string) {
		t.Helper()
		url, asked := fake(t, status, body)
		got, out, errs := haidang(t, "", append(args, "--server", url, "--token-file", token)...)
		if got != want || !strings.Contains(out+errs, text) {
			t.Errorf("%v: status %d\n%s%s", args, got, out, errs)
		}
		if strings.Contains(out+errs, "hdt_abc") {
			t.Errorf("%v shows the token: %s%s", args, out, errs)
		}
		for _, a := range *asked {
			if !strings.HasSuffix(a, " Bearer hdt_abc_def") {
				t.Errorf("%v: asked %s", args, a)
			}
		}
	}
	f(401, `{"title":"who are you?","status":401,"detail":"access: denied"}`, 1, "who are you?: access: denied", "alerts", "list")
	f(502, `<html>`, 1, "502 Bad Gateway", "alerts", "list")
	f(200, `nothing`, 1, "reading the server's answer", "alerts", "list")
	f(200, `{"alerts":[],"total":0}`, 0, "0/0 cảnh báo", "alerts", "list")
	f(200, `{"entries":3,"head":"ab","intact":true}`, 0, "3 entries, intact", "alerts", "verify")
	f(200, `{"entries":3,"head":"ab","intact":false,"error":"entry 2"}`, 1, "the alert log is broken: entry 2", "alerts", "verify")
	f(200, `{"entries":3,"head":"ab","intact":false,"error":"entry 2"}`, 1, `"intact":false`, "alerts", "verify", "--json")
	f(404, `{"title":"not found","status":404,"detail":"no such alert"}`, 1, "not found: no such alert", "alerts", "show", id)
	f(201, `{"token":"hdt_new_one","id":"new"}`, 0, "hdt_new_one", "people", "token", "--person", "lan")
	f(200, `{"people":[{"id":"lan","name":"Nguyễn Thị Lan","roles":["analyst"],"units":["*"]}]}`, 0, "Nguyễn Thị Lan",
		"people", "list")
	f(200, `{"rows":[{"keys":["203.0.113.9"],"count":7}],"total":7,"done":1}`, 0, "7 events", "query", "--by", "top:source.ip:5")
	f(200, `{"events":[{"@timestamp":"2026-11-24T02:10:00Z","message":"xin chào"}],"after":""}`, 0, "xin chào", "query", "xin")
}
