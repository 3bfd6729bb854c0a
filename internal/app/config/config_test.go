// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	for _, in := range []string{"", "# nothing\n", "store: {memory: 5}\n", "http: {}\n"} {
		c, err := Parse("/etc/haidang/haidang.yml", []byte(in))
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		if c.Store.Sync != 10*time.Second || c.HTTP.Listen != "127.0.0.1:8514" || !c.BuiltinRules || c.PublicURL != "http://127.0.0.1:8514" {
			t.Errorf("%q: %+v", in, c)
		}
	}
}

func TestWhole(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("xoxb-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(filepath.Join(dir, "haidang.yml"), []byte(`
data: data
inventory: danh-mục.yml
collectors:
  - syslog: {listen: ":514", site: dc1}
  - syslog: {listen: ":6514", protocol: tls, certificate: c.pem, key: k.pem, idle: 5m}
  - netflow: {listen: ":2055"}
sinks:
  - webhook: {url: "https://ngoai.example/x", secret: s3cret, min_severity: high, disclose: summary}
  - slack: {channel: C1, token_file: token}
store: {sync: 3s}
`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Inventory != filepath.Join(dir, "danh-mục.yml") || c.Collectors[0].Syslog.Name != "udp514" ||
		c.Collectors[1].Syslog.Idle != 5*time.Minute || c.Collectors[2].Netflow.Name != "netflow2055" ||
		c.Sinks[0].Webhook.MinSeverity != "high" || c.Sinks[1].Slack.Token != "xoxb-1" ||
		c.Sinks[1].Slack.Disclose != "pointer" || c.Store.Sync != 3*time.Second {
		t.Errorf("%+v", c)
	}
	if s := fmt.Sprintf("%v %+v %#v", c.Sinks[0].Webhook, *c.Sinks[0].Webhook, c.Sinks[0].Webhook.Secret); strings.Contains(
		s, "s3cret") {
		t.Errorf("a secret is printed: %s", s)
	}
}

func TestMistakes(t *testing.T) {
	for in, want := range map[string]string{
		"\ncolectors: []\n": `x.yml:2: unknown key "colectors" (did you mean "collectors"?)`,
		"collectors:\n  - syslog: {lissten: \":514\"}\n":                `x.yml:2: unknown key "lissten" (did you mean "listen"?)`,
		"collectors:\n  - syslog: {listen: \":514\", protocol: sctp}\n": `x.yml:2: protocol: "sctp" is not one of udp, tcp, tls`,
		"collectors:\n  - syslog: {listen: \"514\"}\n":                  `x.yml:2: listen: "514" is no address and port`,
		"collectors:\n  - {}\n":                                         `x.yml:2: collectors: element 1: exactly one kind`,
		"time_zone: Asia/Hà_Nội\n":                                      `x.yml:1: time_zone: "Asia/Hà_Nội" is no zone`,
		"data: [1\n":                                                    `x.yml:1: `,
		"store:\n  sync: 5ms\n":                                         `x.yml:2: store: sync: 5ms is not between`,
		"sinks:\n  - webhook:\n      url: ftp://x\n":                    `x.yml:3: webhook: url: it is no http`,
		"sinks:\n  - webhook:\n      url: http://x\n      secret: a\n      secret_file: b\n":                                                   `x.yml:5: secret and secret_file are both set`,
		"collectors:\n- syslog: {listen: \":514\"}\n- syslog: {listen: \":515\", parser: x}\n- syslog:\n    listen: \":516\"\n    parser: y\n": `x.yml:3: parser: "x"`,
		"collectors:\n- syslog: {listen: \":514\"}\n- syslog:\n    name: b\n    listen: \":514\"\n":                                            `x.yml:5: listen: udp :514 is listened on twice`,
		"collectors:\n- syslog: {listen: \":514\", certificate: a, key: b}\n":                                                                  `x.yml:2: syslog: certificate, key and client_ca are for protocol tls`,
		"collectors:\n- syslog: {protocol: tls}\n":                                                                                             `x.yml:2: syslog: protocol tls needs certificate and key`,
		"sinks:\n- slack: {channel: C, token: t}\n- slack: {name: b, channel: C, token: t,\n    min_level: 6}\n":                               `x.yml:4: min_level: 6`,
		"relays: [10.0.0.1,\n  10.0.0.1/x]\n":                                                                                                  `x.yml:2: relays: "10.0.0.1/x"`,
		"origins:\n- address: 10.0.0.1\n- address: 10.0.0.1\n  time_zone: Việt/Nam\n":                                                          `x.yml:4: time_zone`,
		"collectors:\n- netflow: {name: a}\n- syslog: {name: a}\n":                                                                             `x.yml:3: collectors: the name "a" is used twice`,
	} {
		_, err := Parse("x.yml", []byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", in, err, want)
		}
	}
}

// TestKeysAreThoseOfTheStruct keeps the list behind the hints whole.
func TestKeysAreThoseOfTheStruct(t *testing.T) {
	found := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(x reflect.Type) {
		for x.Kind() == reflect.Pointer || x.Kind() == reflect.Slice {
			x = x.Elem()
		}
		if x.Kind() != reflect.Struct {
			return
		}
		for i := range x.NumField() {
			f := x.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
				found[name] = true
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Config]())
	listed := strings.Fields(keys)
	for k := range found {
		if !slices.Contains(listed, k) {
			t.Errorf("key %s is not listed", k)
		}
	}
	if len(found) != len(listed) {
		t.Errorf("%d keys listed, the struct has %d", len(listed), len(found))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("collectors:\n  - syslog: {listen: \":514\"}\n"))
	f.Add([]byte("sinks:\n  - slack: {channel: C, token: t, systems: [một]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 64<<10 {
			_, _ = Parse("x.yml", data)
		}
	})
}
