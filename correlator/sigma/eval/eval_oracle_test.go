// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// The naive evaluator: rules are made as plain trees, written as YAML for the fast path, and decided here straight from
// the tree over a map of texts, by regular expressions. It shares no code with what it checks.

type naiveItem struct {
	field, mods string
	values      []any // string, int or nil
}

type naiveRule struct {
	names      []string
	detections map[string][][]naiveItem // any of all
	condition  string
	holds      func(r *naiveRule, ev map[string][]any) bool
}

var oracleWords = []string{"cmd", "CMD.exe", "máy chủ", norm.NFD.String("Máy Chủ"), "ĐĂNG NHẬP", "đăng nhập", "a", "", "-s", "/s x",
	"K", "\u212a", "ſ", "tải", "C:\\Win\\", "10.1.2.3", "10.1.2", "2001:db8::1", "5", "50", "7.5", "ế", "xyzzy", "..", "\\"}

func word(r *rand.Rand) string {
	var s string
	for range 1 + r.IntN(3) {
		s += oracleWords[r.IntN(len(oracleWords))]
	}
	return s
}

// plainWord is a word for values in which nothing is a wildcard or escape.
func plainWord(r *rand.Rand) string {
	for {
		if s := strings.ReplaceAll(word(r), "\\", "/"); s != "" {
			return s
		}
	}
}

func patternWord(r *rand.Rand) string {
	s := word(r)
	if r.IntN(4) == 0 {
		at := r.IntN(len(s) + 1)
		for at > 0 && at < len(s) && s[at]&0xc0 == 0x80 {
			at--
		}
		s = s[:at] + []string{"*", "?", "\\*", "\\?", "\\\\*"}[r.IntN(5)] + s[at:]
	}
	return s
}

var oracleMods = []string{"", "", "contains", "contains", "startswith", "endswith", "contains|all", "cased", "contains|cased", "re",
	"re|i", "cidr", "lt", "lte", "gt", "gte", "exists", "null", "windash|contains", "base64offset|contains", "fieldref",
	"fieldref|contains", "neq", "number", "base64", "wide|base64offset|contains"}

var oracleFields = []string{"alpha", "Beta", "source.ip", "gamma.one"}

func randomItem(r *rand.Rand) naiveItem {
	it := naiveItem{field: oracleFields[r.IntN(len(oracleFields))], mods: oracleMods[r.IntN(len(oracleMods))]}
	n := 1 + r.IntN(3)
	if strings.HasSuffix(it.mods, "all") {
		n = 2
	}
	for range n {
		var v any
		switch it.mods {
		case "re", "re|i":
			v = []string{"c.d", "^cmd", "x$", "chủ", "(?:a|b)+c", "nhập.*m", "\\d+", "Đăng"}[r.IntN(8)]
		case "cidr":
			v = []string{"10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "192.168.0.0/16"}[r.IntN(4)]
		case "lt", "lte", "gt", "gte":
			v = []int{0, 5, 50, 7}[r.IntN(4)]
		case "number":
			v = []int{5, 50, 0, -1}[r.IntN(4)]
		case "exists":
			v, n = r.IntN(2) == 0, 1
		case "null":
			v = nil
		case "fieldref", "fieldref|contains":
			v = oracleFields[r.IntN(len(oracleFields))]
		case "base64offset|contains", "base64", "wide|base64offset|contains":
			v = "pass" + plainWord(r)
		case "windash|contains":
			v = []string{"-s", " -s x", "/s", "a -s", "-s -x"}[r.IntN(5)]
		default:
			v = patternWord(r)
		}
		it.values = append(it.values, v)
		if it.mods == "exists" {
			break
		}
	}
	return it
}

func randomRule(r *rand.Rand) *naiveRule {
	n := &naiveRule{detections: map[string][][]naiveItem{}}
	for i := range 1 + r.IntN(4) {
		name := []string{"sel", "sel_a", "sel_b", "filter"}[i]
		n.names = append(n.names, name)
		for range 1 + r.IntN(2) {
			var group []naiveItem
			if r.IntN(8) == 0 {
				group = append(group, naiveItem{values: []any{plainWord(r)}})
			} else {
				for range 1 + r.IntN(2) {
					it := randomItem(r)
					if !slices.ContainsFunc(group, func(o naiveItem) bool { return o.key() == it.key() }) {
						group = append(group, it)
					}
				}
			}
			n.detections[name] = append(n.detections[name], group)
		}
	}
	n.condition, n.holds = randomCondition(r, n.names, 0)
	return n
}

type naiveCondition = func(*naiveRule, map[string][]any) bool

func randomCondition(r *rand.Rand, names []string, depth int) (string, naiveCondition) {
	k := r.IntN(8)
	if depth > 3 {
		k = 0
	}
	switch k {
	case 1:
		return "1 of sel*", func(n *naiveRule, ev map[string][]any) bool {
			return slices.ContainsFunc(n.names, func(s string) bool { return strings.HasPrefix(s, "sel") && n.detect(s, ev) })
		}
	case 2:
		return "all of them", func(n *naiveRule, ev map[string][]any) bool {
			return !slices.ContainsFunc(n.names, func(s string) bool { return !n.detect(s, ev) })
		}
	case 3:
		text, f := randomCondition(r, names, depth+1)
		return "not (" + text + ")", func(n *naiveRule, ev map[string][]any) bool { return !f(n, ev) }
	case 4, 5, 6, 7:
		ta, fa := randomCondition(r, names, depth+1)
		tb, fb := randomCondition(r, names, depth+1)
		if k%2 == 0 {
			return "(" + ta + ") and (" + tb + ")", func(n *naiveRule, ev map[string][]any) bool { return fa(n, ev) && fb(n, ev) }
		}
		return "(" + ta + ") or (" + tb + ")", func(n *naiveRule, ev map[string][]any) bool { return fa(n, ev) || fb(n, ev) }
	}
	name := names[r.IntN(len(names))]
	return name, func(n *naiveRule, ev map[string][]any) bool { return n.detect(name, ev) }
}

func (n *naiveRule) detect(name string, ev map[string][]any) bool {
	for _, group := range n.detections[name] {
		all := true
		for _, it := range group {
			all = all && it.holds(ev)
		}
		if all {
			return true
		}
	}
	return false
}

func (it naiveItem) key() string {
	switch it.mods {
	case "", "null", "number":
		return it.field
	}
	return it.field + "|" + it.mods
}

func (it naiveItem) holds(ev map[string][]any) bool {
	some, all := false, true
	for _, v := range it.values {
		ok := it.value(v, ev)
		some, all = some || ok, all && ok
	}
	switch {
	case strings.HasSuffix(it.mods, "all"):
		return all
	case it.mods == "neq":
		return !some
	}
	return some
}

func (it naiveItem) value(want any, ev map[string][]any) bool {
	have, there := ev[it.field]
	if it.field == "" {
		for _, list := range ev {
			for _, x := range list {
				if glob("*"+fmt.Sprint(want)+"*", fmt.Sprint(x), false) {
					return true
				}
			}
		}
		return false
	}
	if it.mods == "exists" {
		return there == want.(bool)
	}
	if want == nil {
		return !there
	}
	return slices.ContainsFunc(have, func(x any) bool { return it.compare(want, x, ev) })
}

func (it naiveItem) compare(want, have any, ev map[string][]any) bool {
	w, h := fmt.Sprint(want), fmt.Sprint(have)
	if n := len(w) - len(strings.TrimRight(w, "\\")); n%2 == 1 && !strings.HasPrefix(it.mods, "re") {
		w += "\\" // a backslash at the end is itself, whatever is put after it
	}
	switch it.mods {
	case "", "neq", "number":
		return glob(w, h, false)
	case "contains", "contains|all":
		return glob("*"+w+"*", h, false)
	case "startswith":
		return glob(w+"*", h, false)
	case "endswith":
		return glob("*"+w, h, false)
	case "cased":
		return glob(w, h, true)
	case "contains|cased":
		return glob("*"+w+"*", h, true)
	case "re":
		return regexp.MustCompile(w).MatchString(norm.NFC.String(h))
	case "re|i":
		return regexp.MustCompile("(?i)" + w).MatchString(norm.NFC.String(h))
	case "cidr":
		if !strings.Contains(w, "/") {
			w += "/32"
		}
		a, err := netip.ParseAddr(h)
		return err == nil && netip.MustParsePrefix(w).Contains(a)
	case "lt", "lte", "gt", "gte":
		f, err := strconv.ParseFloat(h, 64)
		n := float64(want.(int))
		return err == nil && map[string]bool{"lt": f < n, "lte": f <= n, "gt": f > n, "gte": f >= n}[it.mods]
	case "windash|contains":
		for _, d := range []string{"-", "/", "–", "—", "―"} {
			for _, e := range []string{"-", "/", "–", "—", "―"} {
				v := strings.Replace(w, "-x", e+"x", 1)
				v = strings.Replace(strings.Replace(v, "/s", d+"s", 1), "-s", d+"s", 1)
				if glob("*"+v+"*", h, false) {
					return true
				}
			}
		}
		return false
	case "base64":
		return glob(base64.StdEncoding.EncodeToString([]byte(w)), h, false)
	case "base64offset|contains", "wide|base64offset|contains":
		raw := w
		if strings.HasPrefix(it.mods, "wide") {
			raw = ""
			for _, c := range w {
				raw += string([]byte{byte(c), byte(c >> 8)})
			}
		}
		for _, part := range []string{"", " ", "  "} {
			// What the encoded text shares with every neighbour: whole groups of three bytes, and six bits at a time.
			bits := base64.StdEncoding.EncodeToString([]byte(part + raw))
			from := (len(part)*8 + 5) / 6
			to := (len(part) + len(raw)) * 8 / 6
			if glob("*"+bits[from:to]+"*", h, false) {
				return true
			}
		}
		return false
	case "fieldref":
		return slices.ContainsFunc(ev[w], func(o any) bool { return glob(escape(fmt.Sprint(o)), h, false) })
	case "fieldref|contains":
		return slices.ContainsFunc(ev[w], func(o any) bool { return glob("*"+escape(fmt.Sprint(o))+"*", h, false) })
	}
	panic(it.mods)
}

func escape(s string) string {
	return regexp.MustCompile(`[\\*?]`).ReplaceAllString(s, `\$0`)
}

// globs keeps compiled patterns between calls of glob.
var globs sync.Map

// glob matches by turning the pattern into a regular expression.
func glob(pattern, text string, cased bool) bool {
	re := "(?s"
	if !cased {
		re += "i"
	}
	re += ")\\A"
	pattern = norm.NFC.String(pattern)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern) && strings.ContainsRune(`\*?`, rune(pattern[i+1])):
			i++
			re += regexp.QuoteMeta(pattern[i : i+1])
		case c == '*':
			re += ".*"
		case c == '?':
			re += "."
		default:
			j := i + 1
			for j < len(pattern) && pattern[j] >= 0x80 {
				j++
			}
			re += regexp.QuoteMeta(pattern[i:j])
			i = j - 1
		}
	}
	c, ok := globs.Load(re)
	if !ok {
		c, _ = globs.LoadOrStore(re, regexp.MustCompile(re+"\\z"))
	}
	return c.(*regexp.Regexp).MatchString(norm.NFC.String(text))
}

// yaml writes the rule; JSON texts are YAML texts.
func (n *naiveRule) yaml(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: %s\nlogsource:\n    category: test\ndetection:\n", title)
	for _, name := range n.names {
		fmt.Fprintf(&b, "    %s:\n", name)
		for _, group := range n.detections[name] {
			for i, it := range group {
				lead := "          "
				if i == 0 {
					lead = "        - "
				}
				values, _ := json.Marshal(it.values)
				if it.field == "" {
					values, _ = json.Marshal(it.values[0])
					fmt.Fprintf(&b, "%s%s\n", lead, values)
					continue
				}
				if len(it.values) == 1 {
					values, _ = json.Marshal(it.values[0])
				}
				key, _ := json.Marshal(it.key())
				fmt.Fprintf(&b, "%s%s: %s\n", lead, key, values)
			}
		}
	}
	fmt.Fprintf(&b, "    condition: %s\n", n.condition)
	return b.String()
}

// randomEvent makes an event and the same as a map of texts.
func randomEvent(r *rand.Rand, b *event.Builder) map[string][]any {
	ev := map[string][]any{}
	for _, f := range oracleFields {
		id, _ := event.Intern(f)
		switch k := r.IntN(9); {
		case k < 2:
		case f == "source.ip":
			a := netip.MustParseAddr([]string{"10.1.2.3", "10.200.0.1", "2001:db8::1", "8.8.8.8"}[r.IntN(4)])
			b.IP(id, a)
			ev[f] = []any{a.String()}
		case k == 2:
			n := []int{0, 5, 50, 7, -1}[r.IntN(5)]
			b.Int(id, int64(n))
			ev[f] = []any{n}
		case k == 3:
			x, y := word(r), word(r)
			b.Strs(id, x, y)
			ev[f] = []any{x, y}
		case k == 4:
			s := base64.StdEncoding.EncodeToString([]byte("xx pass" + plainWord(r) + "yy"))
			b.Str(id, s)
			ev[f] = []any{s}
		default:
			s := word(r)
			b.Value(id, event.StringValue(s))
			ev[f] = []any{s}
		}
	}
	return ev
}

// TestOracleEval compares the fast path with the naive evaluator over random rules and events.
func TestOracleEval(t *testing.T) {
	rounds, events := 40, 60
	if testing.Short() {
		rounds = 10
	}
	matches, compared, refusals := 0, 0, 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 5))
		var text strings.Builder
		rules := map[string]*naiveRule{}
		for i := range 40 {
			title := fmt.Sprintf("r%d", i)
			rules[title] = randomRule(r)
			text.WriteString(rules[title].yaml(title))
		}
		docs, refused := sigma.Parse("random.yml", []byte(text.String()))
		for _, x := range refused {
			// The only refusals a random rule may earn: an empty list of alternatives, or a wildcard before an encoding.
			t.Fatalf("seed %d: %v\n%s", seed, x, text.String())
		}
		refusals += len(refused)
		var parsed []*sigma.Rule
		for _, d := range docs {
			parsed = append(parsed, d.Rule)
		}
		m, err := ParseMapping("", "")
		if err != nil {
			t.Fatal(err)
		}
		set, failed := Compile(parsed, m)
		if len(failed) > 0 {
			t.Fatalf("seed %d: %v", seed, failed)
		}
		var sc Scratch
		for range events {
			b := event.NewBuilder("test", 0)
			b.Begin(1, 0)
			ev := randomEvent(r, b)
			b.End()
			got := map[string]bool{}
			for _, h := range set.Match(b.Batch(1, 2).At(0), &sc) {
				got[set.Rule(h.Rule).Title] = true
			}
			for title, n := range rules {
				compared++
				want := n.holds(n, ev)
				if want {
					matches++
				}
				if got[title] != want {
					t.Fatalf("seed %d: fast path says %v, naive evaluator %v\nevent %q\n%s", seed, got[title], want, ev, n.yaml(title))
				}
			}
		}
	}
	t.Logf("%d decisions compared, %d of them matches", compared, matches)
	if matches*50 < compared || matches > compared*49/50 {
		t.Errorf("%d matches in %d decisions: the random rules say too little", matches, compared)
	}
}
