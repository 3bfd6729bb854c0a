// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commented are the lines of the sample that show an option, rather than say something.
var commented = regexp.MustCompile(`(?m)^( *)# ( *- |[a-z]+: *(?:\{.*)?$)`)

// The configuration that people begin with is read without an error, as it is and with every option in it turned on.
func TestDeploySample(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "haidang.yml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "haidang.yml")
	c, err := Parse(path, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Collectors) != 3 || len(c.Sinks) != 0 || c.Elasticsearch != nil {
		t.Errorf("as it is: %d collectors, %d sinks, Elasticsearch %v", len(c.Collectors), len(c.Sinks), c.Elasticsearch)
	}
	all := commented.ReplaceAll(data, []byte("$1$2"))
	if _, err := Parse(path, all); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("with every option, without their files: %v", err)
	}
	for _, name := range []string{"elasticsearch.key", "webhook.secret", "slack.token"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = Parse(path, all); err != nil {
		t.Fatal(err)
	}
	if len(c.Collectors) != 4 || len(c.Sinks) != 2 || c.Elasticsearch == nil {
		t.Errorf("with every option: %d collectors, %d sinks, Elasticsearch %v", len(c.Collectors), len(c.Sinks),
			c.Elasticsearch)
	}
	if got, want := c.Collectors[2].Syslog.ClientCA, filepath.Join(dir, "ca.pem"); got != want {
		t.Errorf("the authorities of the TLS listener are in %s, want %s", got, want)
	}
}
