// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/spool"
)

func TestInstall(t *testing.T) {
	c := newCluster(t)
	for round, want := range []int{1 + 5 + 1, 0} {
		c.change(func() { c.puts = nil })
		s := open(t, c.config(t))
		appendAll(t, s, records(1, 1))
		mustSync(t, s, 1)
		if len(c.puts) != want || !c.alias {
			t.Errorf("round %d: installed %v, want %d templates and the alias", round, c.puts, want)
		}
	}
	if text := string(c.templates["/_index_template/haidang-r365"]); !strings.Contains(text, `"data_retention":"365d"`) ||
		!strings.Contains(text, `"priority":500`) || !strings.Contains(text, `"logs-haidang.flow-r365"`) {
		t.Errorf("the template of a class is %s", text)
	}
	c.change(func() { c.version, c.templates = "8.4.1", map[string]json.RawMessage{} })
	s := open(t, c.config(t))
	appendAll(t, s, records(1, 1))
	mustSync(t, s, 1)
	for name, text := range c.templates {
		if strings.Contains(string(text), "data_retention") || strings.Contains(string(text), "ignore_dynamic_beyond") {
			t.Errorf("%s asks 8.4 for what it does not have", name)
		}
	}
	for _, version := range []string{"7.17.9", "", "x.y"} {
		c.change(func() { c.version = version })
		s := open(t, c.config(t))
		appendAll(t, s, records(1, 1))
		if _, err := s.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "8.0 or later") {
			t.Errorf("Sync with version %q: %v", version, err)
		}
	}
}

// TestInstallAgain: when the alias went away, it is made anew before the next try.
func TestInstallAgain(t *testing.T) {
	c := newCluster(t)
	c.misbehave = func(int) fault {
		return fault{item: func(string) int {
			if !c.alias {
				return http.StatusNotFound
			}
			return 0
		}}
	}
	s := open(t, c.config(t))
	for seq := uint64(1); seq <= 2; seq++ {
		appendAll(t, s, []*spool.Record{oneOf("alerts", seq, func(b *event.Builder) {
			b.Str(event.HaidangAlertID, "a")
			b.Int(event.HaidangAlertEntry, int64(seq))
		})})
		mustSync(t, s, seq)
		c.change(func() { c.alias = false })
	}
	if c.versions["a"] != 2 {
		t.Errorf("the alert is at %d", c.versions["a"])
	}
}

// TestMappings: every static field is mapped, as its kind asks for.
func TestMappings(t *testing.T) {
	types := map[string]string{}
	var walk func(prefix string, o object)
	walk = func(prefix string, o object) {
		for name, x := range o {
			f := x.(object)
			if kind, ok := f["type"].(string); ok {
				types[prefix+name] = kind
			}
			for _, inner := range []string{"properties", "fields"} {
				if o, ok := f[inner].(object); ok {
					walk(prefix+name+".", o)
				}
			}
		}
	}
	walk("", mappings())
	if n := len(types); n > maxFields/2 {
		t.Errorf("%d fields leave no room for those of vendors", n)
	}
	want := map[event.Kind]string{event.Int: "long", event.Float: "double", event.Bool: "boolean", event.IP: "ip",
		event.Time: "date_nanos"}
	for id := range event.StaticFields {
		kind := types[id.Name()]
		if w := want[id.Type()]; kind == "" || w != "" && kind != w || w == "" && (kind == "long" || kind == "ip") {
			t.Errorf("%s (%s) is mapped as %q", id.Name(), id.Type(), kind)
		}
	}
	if types["haidang.text"] != "text" || types["haidang.extra"] != "flattened" {
		t.Errorf("haidang.text is %s, haidang.extra %s", types["haidang.text"], types["haidang.extra"])
	}
}

func TestCredentials(t *testing.T) {
	c := newCluster(t)
	tls := httptest.NewUnstartedServer(c)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // one client below does not trust it
	tls.StartTLS()
	defer tls.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificate().Raw})
	for _, x := range []struct {
		change func(*Config)
		want   string // of the header; "": the request must not come
	}{
		{func(c *Config) { c.CA, c.APIKey = ca, "a2V5" }, "APIKey a2V5"},
		{func(c *Config) { c.CA, c.Username, c.Password = ca, "haidang", "s" }, "Basic aGFpZGFuZzpz"},
		{func(c *Config) { c.Username, c.Password = "haidang", "s" }, ""},
	} {
		cfg := c.config(t)
		cfg.URLs = []string{tls.URL}
		x.change(&cfg)
		c.change(func() { c.headers = nil })
		s := open(t, cfg)
		appendAll(t, s, records(1, 1))
		_, err := s.Sync(t.Context())
		if (err == nil) != (x.want != "") || c.headers.Get("Authorization") != x.want {
			t.Errorf("Sync: %v, Authorization %q, want %q", err, c.headers.Get("Authorization"), x.want)
		}
		_ = s.Close()
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []Config{{}, {URLs: []string{"es1:9200"}}, {URLs: []string{"ftp://es1"}},
		{URLs: []string{"https://es1:9200"}, CA: []byte("no certificate")}} {
		cfg.Dir = t.TempDir()
		if s, err := Open(cfg); err == nil {
			t.Errorf("Open(%+v): no error", cfg)
			_ = s.Close()
		}
	}
}
