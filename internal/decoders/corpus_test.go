// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/corpora"
	"github.com/haidang-soc/haidang/internal/event"
)

// corpusTypes are the types of the corpus whose products are decoded here.
var corpusTypes = map[string]bool{"syslog": true, "nginx": true, "apache2": true, "fortinet": true}

// corpusExcluded are the programs within those types that no decoder here is for, with the reason.
var corpusExcluded = map[string]string{
	"asterisk":           "telephone exchange",
	"named":              "name server",
	"charon":             "strongSwan IKE",
	"lfd":                "ConfigServer firewall's daemon",
	"dovecot":            "mail",
	"exim":               "mail",
	"postfix/smtpd":      "mail",
	"postfix/submission": "mail",
	"jellyfin":           "media server",
	"php-fpm":            "pfSense web configurator",
	"Prowlarr":           "media manager",
	"Radarr":             "media manager",
	"mono":               "media manager",
	"pure-ftpd":          "FTP server",
	"wwsympa":            "mailing lists",
}

// TestCorpusLines decodes real lines of others and wants every expected field of a row, in 95 % of the rows.
func TestCorpusLines(t *testing.T) {
	path := corpora.Path(t, "decoders", "lines.jsonl")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, right, excluded := map[string]int{}, map[string]int{}, map[string]int{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var row struct {
			Type, Line string
			Expect     map[string]string
		}
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		if !corpusTypes[row.Type] {
			continue
		}
		e := decodeOne(t, row.Line)
		if row.Type == "syslog" {
			program, _, _ := strings.Cut(e.Text(event.ProcessName), "/smtpd")
			if _, ok := corpusExcluded[program]; ok {
				excluded[program]++
				continue
			}
			if _, ok := corpusExcluded[e.Text(event.ProcessName)]; ok {
				excluded[e.Text(event.ProcessName)]++
				continue
			}
		}
		rows[row.Type]++
		ok := true
		for name, want := range row.Expect {
			id, known := event.Lookup(name)
			if !known {
				t.Fatalf("%s is no field", name)
			}
			v, _ := e.Get(id)
			if got := v.String(); got != want && !sameAddress(got, want) {
				t.Logf("%s: %s = %q, want %q: %s", row.Type, name, got, want, row.Line)
				ok = false
			}
		}
		if ok {
			right[row.Type]++
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	total, good := 0, 0
	for typ, n := range rows {
		t.Logf("%-9s %3d of %3d rows fully right (%.1f %%)", typ, right[typ], n, 100*float64(right[typ])/float64(n))
		total, good = total+n, good+right[typ]
	}
	for program, n := range excluded {
		t.Logf("excluded: %3d rows of %s: %s", n, program, corpusExcluded[program])
	}
	t.Logf("all       %3d of %3d rows fully right (%.1f %%)", good, total, 100*float64(good)/float64(total))
	if total < 100 || good*100 < total*95 {
		t.Errorf("%d of %d rows are fully right, want 95 %% of at least 100", good, total)
	}
}

// sameAddress compares addresses that are written differently.
func sameAddress(a, b string) bool {
	x, err := netip.ParseAddr(a)
	if err != nil {
		return false
	}
	y, err := netip.ParseAddr(b)
	return err == nil && x == y.Unmap()
}
