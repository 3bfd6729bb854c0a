// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package asset

import (
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The examples of docs/inventory.md load, and the two lines about proxies are true.
func TestDocumentedExamples(t *testing.T) {
	data, err := os.ReadFile("../../docs/inventory.md")
	if err != nil {
		t.Fatal(err)
	}
	var yml strings.Builder
	inside := false
	for line := range strings.Lines(string(data)) {
		code, ok := strings.CutPrefix(line, "    ")
		if !ok {
			inside = false
			continue
		}
		inside = inside || regexp.MustCompile(`^(systems|sites|zones|proxies|units):`).MatchString(code)
		if inside {
			yml.WriteString(code)
		}
	}
	text := strings.Replace(yml.String(), "operator: ttpvhcc", "operator: skhcn", 1) // a unit the page does not list
	inv := mustLoad(t, text, "")
	if m := inv.Lookup("dc1", netip.MustParseAddr("10.10.1.12")); m.id() != "dvc" || m.Zone != "dmz" {
		t.Errorf("the example of dvc: %+v in\n%s", m, text)
	}
	example := regexp.MustCompile(`peer (\S+), header "([^"]*)" +-> +source.ip (\S+)`)
	lines := example.FindAllStringSubmatch(string(data), -1)
	if len(lines) != 2 {
		t.Fatalf("%d examples of proxies", len(lines))
	}
	for _, m := range lines {
		if got := nearestUntrusted(netip.MustParseAddr(m[1]), m[2], inv.Proxy); got.String() != m[3] {
			t.Errorf("peer %s, header %q: %s, the page says %s", m[1], m[2], got, m[3])
		}
	}
}
