// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/google/go-cmp/cmp"

	"github.com/haidang-soc/haidang/correlator/sigma"
	"github.com/haidang-soc/haidang/internal/event"
)

// compile makes a set of rules given as YAML.
func compile(t testing.TB, text string) *Set {
	t.Helper()
	docs, refused := sigma.Parse("test.yml", []byte(text))
	var rules []*sigma.Rule
	for _, d := range docs {
		rules = append(rules, d.Rule)
	}
	m, err := DefaultMapping()
	if err != nil {
		t.Fatal(err)
	}
	s, failed := Compile(rules, m)
	for _, r := range append(refused, failed...) {
		t.Fatal(r)
	}
	return s
}

// detection makes a rule of a condition "a" around one detection.
func detection(body string) string {
	return "title: t\nlogsource: {category: any}\ndetection:\n  a: " + strings.ReplaceAll(body, "\n", "\n    ") + "\n  condition: a\n"
}

// read makes an event of a JSON document.
func read(t testing.TB, doc string) Event {
	t.Helper()
	b := event.NewBuilder("test", 0)
	b.Begin(1, 0)
	if err := ReadDocument(b, []byte(doc)); err != nil {
		t.Fatal(err)
	}
	b.End()
	return b.Batch(1, 2).At(0)
}

func TestMatch(t *testing.T) {
	f := func(body, doc string, want bool) {
		t.Helper()
		var sc Scratch
		hits := compile(t, detection(body)).Match(read(t, doc), &sc)
		if (len(hits) > 0) != want {
			t.Errorf("%s\n%s: matches %v, want %v", body, doc, len(hits) > 0, want)
		}
	}
	composed, decomposed := "Đăng nhập thất bại", norm.NFD.String("ĐĂNG NHẬP THẤT BẠI")
	f("{message: '"+composed+"'}", `{"message": "`+decomposed+`"}`, true)
	f("{message: '"+decomposed+"'}", `{"message": "`+composed+`"}`, true)
	f("{message|contains: '"+norm.NFD.String("nhập")+"'}", `{"message": "`+composed+`"}`, true)
	f("{message|endswith: 'bại'}", `{"message": "`+decomposed+`"}`, true)
	f("{message|endswith: 'bai'}", `{"message": "`+decomposed+`"}`, false)
	f("{message|startswith: 'đăng*bại'}", `{"message": "`+decomposed+`"}`, true)
	f("{message|contains|cased: 'nhập'}", `{"message": "`+decomposed+`"}`, false)
	f("{message|contains|cased: 'NHẬP'}", `{"message": "`+decomposed+`"}`, true)
	f("{message|re: 'nh.p'}", `{"message": "`+norm.NFD.String(composed)+`"}`, true)
	f("['thất bại']", `{"user": {"name": "`+decomposed+`"}}`, true)
	f("['that bai']", `{"user": {"name": "`+decomposed+`"}}`, false)

	f("{EventID: 4625}", `{"EventID": 4625}`, true)
	f("{EventID: 4625}", `{"EventID": "4625"}`, true)
	f("{EventID: 4625}", `{"event": {"code": "4625"}}`, true)
	f("{EventID: 4625}", `{"event.code": 4625}`, true)
	f("{EventID: 4625}", `{"EventID": 46250}`, false)
	f("{EventID: 4625, LogonType: 3}", `{"System": {"EventID": 4625}, "EventData": {"LogonType": "3"}}`, true)
	f("{EventID: 4625, a: x}", `{"Event": {"System": {"EventID": 4625}, "UserData": {"U": {"a": "x"}}}}`, true)
	f("{CommandLine|contains: ' -enc '}", `{"process.command_line": "powershell -ENC x"}`, true)
	f("{CommandLine|contains: ' -enc '}", `{"winlog": {"event_data": {"CommandLine": "a -enc b"}}}`, true)
	f("{CommandLine|contains: ' -enc '}", `{"CommandLine": "a -encode b"}`, false)
	f("{process.command_line|contains: ' -enc '}", `{"CommandLine": "a -enc b"}`, true)
	f("{process.command_line|contains: ' -enc '}", `{"winlog.event_data.CommandLine": "a -enc b"}`, true)
	f("{source.ip|cidr: 10.0.0.0/8}", `{"SourceIp": "10.1.1.1"}`, true)
	f("['4625']", `{"EventID": 4625}`, true)
	f("{Image|endswith: '\\cmd.exe'}", `{"Image": "C:\\Windows\\CMD.EXE"}`, true)
	f("{Image|endswith: '\\cmd.exe'}", `{"process": {"executable": "C:\\Windows\\cmd.exe"}}`, true)
	f("{Image|endswith: '\\cmd.exe'}", `{"Image": "C:\\Windows\\xcmd.exe"}`, false)
	f("{Initiated: true}", `{"Initiated": "True"}`, true)
	f("{Initiated: true}", `{"Initiated": true}`, true)

	f("{a|contains|all: [x, y]}", `{"a": "y and x"}`, true)
	f("{a|contains|all: [x, y]}", `{"a": "x alone"}`, false)
	f("{tags|contains|all: [x, y]}", `{"tags": ["x", "y"]}`, true)
	f("{a|windash|contains: ' -s'}", `{"a": "b —s"}`, true)
	f("{a|base64offset|contains: 'http://'}", `{"a": "`+"eHh4aHR0cDovL2E="+`"}`, true)
	f("{a|re: '^x\\d+$'}", `{"a": "x12"}`, true)
	f("{a|re: '^x\\d+$'}", `{"a": "X12"}`, false)
	f("{a|re|i: '^x\\d+$'}", `{"a": "X12"}`, true)
	f("{a: 'x?z*'}", `{"a": "XYZ and more"}`, true)
	f("{a: 'x?z'}", `{"a": "xếz"}`, true)
	f("{a: 'x?z'}", `{"a": "xz"}`, false)
	f("{a: 'x\\*z'}", `{"a": "x*z"}`, true)
	f("{a: 'x\\*z'}", `{"a": "xyz"}`, false)

	f("{SourceIp|cidr: 10.0.0.0/8}", `{"source": {"ip": "10.9.8.7"}}`, true)
	f("{SourceIp|cidr: 10.0.0.0/8}", `{"SourceIp": "10.9.8.7"}`, true)
	f("{SourceIp|cidr: 10.0.0.0/8}", `{"SourceIp": "::ffff:10.9.8.7"}`, true)
	f("{SourceIp|cidr: 10.0.0.0/8}", `{"SourceIp": "11.9.8.7"}`, false)
	f("{SourceIp|cidr: '2001:db8::/32'}", `{"SourceIp": "2001:db8::5"}`, true)
	f("{SourceIp: 10.9.8.7}", `{"source": {"ip": "10.9.8.7"}}`, true)
	f("{SourceIp|startswith: '10.'}", `{"source": {"ip": "10.9.8.7"}}`, true)
	f("{source.port|lt: 1024}", `{"source.port": 22}`, true)
	f("{source.port|gte: 1024}", `{"source.port": 22}`, false)
	f("{a|gt: 1.5}", `{"a": "1.6"}`, true)
	f("{a|gt: 1.5}", `{"a": "x"}`, false)

	f("{a: null}", `{"b": 1}`, true)
	f("{a: null}", `{"a": null}`, true)
	f("{a: null}", `{"a": ""}`, false)
	f("{a: ''}", `{"a": ""}`, true)
	f("{a: ''}", `{"b": 1}`, false)
	f("{a: '*'}", `{"a": ""}`, true)
	f("{a|exists: true}", `{"a": ""}`, true)
	f("{a|exists: false}", `{"b": 1}`, true)
	f("{'@timestamp|exists': true}", `{"@timestamp": "2026-11-29T02:10:00Z"}`, true)
	f("{'@timestamp|startswith': '2026-11'}", `{"@timestamp": "2026-11-29T02:10:00Z"}`, true)
	f("{a|fieldref: b}", `{"a": "X", "b": "x"}`, true)
	f("{a|fieldref|endswith: b}", `{"a": "zx", "b": "x"}`, true)
	f("{a|fieldref: b}", `{"a": "x"}`, false)
	f("{a|neq: x}", `{"a": "y"}`, true)
	f("{a|neq: x}", `{"a": "X"}`, false)
	f("{logid: '0100'}", `{"haidang.extra.logid": "0100"}`, true)

	f("[EVIL, 'a*c']", `{"b": "no", "c": "an evil thing"}`, true)
	f("[EVIL, 'a*c']", `{"b": "xabcx"}`, true)
	f("[EVIL]", `{"event": {"dataset": "evil"}, "haidang": {"decoder": "evil"}}`, false)
	f("[EVIL]", `{"event": {"original": "<13>evil"}}`, true)
	f("{'|all': [x1, y1]}", `{"b": "x1", "c": "y1"}`, true)
	f("{'|all': [x1, y1]}", `{"b": "x1"}`, false)
	f("\n- x: 1\n  y: 2\n- z: 3", `{"z": 3}`, true)
	f("\n- x: 1\n  y: 2\n- z: 3", `{"x": 1}`, false)
}

func TestHit(t *testing.T) {
	s := compile(t, detection("{source.ip|cidr: 10.0.0.0/8, User: ['Quản trị', root], tags: x, gone: null}")+
		"---\n"+detection("{user.name|startswith: quản}"))
	var sc Scratch
	hits := s.Match(read(t, `{"source": {"ip": "10.1.1.1"}, "user": {"name": "QUẢN TRỊ"}, "tags": ["y", "X"]}`), &sc)
	want := []Hit{
		{Rule: 0, Matched: []Matched{
			{event.SourceIP, "source.ip", "10.1.1.1"}, {event.UserName, "User", "QUẢN TRỊ"}, {event.Tags, "tags", "X"}, {0, "gone", ""}}},
		{Rule: 1, Matched: []Matched{{event.UserName, "user.name", "QUẢN TRỊ"}}},
	}
	if diff := cmp.Diff(want, hits); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
	if hits := s.Match(read(t, `{"a": "b"}`), &sc); len(hits) != 0 {
		t.Errorf("the hits of the last event came back: %v", hits)
	}
}

func TestLogSource(t *testing.T) {
	f := func(source, doc string, want bool) {
		t.Helper()
		var sc Scratch
		text := strings.Replace(detection("{a: b}"), "{category: any}", source, 1)
		if hits := compile(t, text).Match(read(t, doc), &sc); (len(hits) > 0) != want {
			t.Errorf("%s with %s: matches %v, want %v", source, doc, len(hits) > 0, want)
		}
	}
	sysmon := `{"a": "b", "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}`
	f("{product: windows, category: process_creation}", sysmon, true)
	f("{product: windows, service: sysmon}", sysmon, true)
	f("{category: process_creation}", sysmon, true)
	f("{product: windows, category: file_event}", sysmon, false)
	f("{product: windows, service: security}", sysmon, false)
	f("{product: linux}", sysmon, false)
	f("{category: something_new}", sysmon, true)
	f("{product: windows, category: registry_set}", strings.Replace(sysmon, ": 1}", ": \"13\"}", 1), true)
	f("{product: windows, category: registry_set}", `{"a": "b"}`, true)
	f("{product: windows, service: security}", `{"a": "b", "winlog": {"channel": "security"}, "event.code": "4624"}`, true)
	f("{product: windows, category: process_creation}", `{"a": "b", "winlog": {"channel": "Security"}, "event.code": "4688"}`, true)
	f("{product: windows, category: process_creation}", `{"a": "b", "winlog": {"channel": "Security"}, "event.code": "4624"}`, false)
	f("{product: linux, service: sshd}", `{"a": "b", "event": {"dataset": "linux.sshd"}}`, true)
	f("{product: linux, service: auth}", `{"a": "b", "event": {"dataset": "linux.sshd"}}`, true)
	f("{product: linux, service: cron}", `{"a": "b", "event": {"dataset": "linux.sshd"}}`, false)
	f("{product: windows}", `{"a": "b", "event": {"dataset": "linux.sshd"}}`, false)
	f("{category: webserver}", `{"a": "b", "event": {"module": "nginx", "dataset": "nginx.access"}}`, true)
	f("{category: firewall}", `{"a": "b", "event": {"dataset": "nginx.access"}}`, false)
	f("{category: firewall}", `{"a": "b", "event": {"module": "never heard of"}}`, true)
}

// TestMatchConcurrent: one Set, several goroutines, each with its Scratch.
func TestMatchConcurrent(t *testing.T) {
	s := compile(t, detection("{a|contains: xyz, b|re: '\\d+'}"))
	ev := read(t, `{"a": "wxyz", "b": "n 12"}`)
	errs := make(chan error)
	for range 4 {
		go func() {
			var sc Scratch
			for range 200 {
				if hits := s.Match(ev, &sc); len(hits) != 1 {
					errs <- fmt.Errorf("%d hits", len(hits))
					return
				}
			}
			errs <- nil
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestMatchAllocates(t *testing.T) {
	s := compile(t, detection("{a|contains: xyz, b|startswith: n, source.ip|cidr: 10.0.0.0/8, c: [6, '*q*q*']}"))
	b := event.NewBuilder("test", 0)
	b.Begin(1, 0)
	id := func(name string) FieldID {
		x, _ := event.Intern(name)
		return x
	}
	b.Str(id("a"), "wxyz")
	b.Str(id("b"), "n 12")
	b.Int(id("c"), 5)
	b.IP(event.SourceIP, netip.MustParseAddr("10.0.0.1"))
	b.Str(event.Message, "Đăng nhập")
	b.End()
	ev := b.Batch(1, 2).At(0)
	var sc Scratch
	if n := testing.AllocsPerRun(100, func() {
		if len(s.Match(ev, &sc)) != 0 {
			t.Fatal("it matches")
		}
	}); n > 0 {
		t.Errorf("%v allocations a match, want none", n)
	}
}

func TestFold(t *testing.T) {
	fo := newFolder()
	f := func(a, b string, same bool) {
		t.Helper()
		if got := fo.fold(a) == fo.fold(b); got != same {
			t.Errorf("%q and %q: same %v, want %v", a, b, got, same)
		}
	}
	f("ABC xyz", "abc XYZ", true)
	f("Đường", "ĐƯỜNG", true)
	f("Đường", norm.NFD.String("đƯỜNG"), true)
	f("Đường", "duong", false)
	f("K", "\u212a", true)
	f("ſ", "S", true)
	f("Σ", "ς", true)
	f("\xff\xfe", "\xff\xfe", true)
	f("\xff", "\xfe", false)
	f("ß", "ss", false)
	f(strings.Repeat("a", 100)+"Ế", strings.Repeat("A", 100)+"ế", true)
	for r := rune(0); r < 0x20000; r++ {
		if a, b := foldRune(r), foldRune(foldRune(r)); a != b {
			t.Fatalf("%U folds to %U, and that to %U", r, a, b)
		}
	}
}

func TestRequiredLiteral(t *testing.T) {
	for re, want := range map[string]string{
		`abc`: "abc", `^a+bcd\d`: "bcd", `(abc|def)`: "", `(?i)HELLO.*x`: "HELLO", `(wxyz)+`: "wxyz", `(wxyz)*`: "", `ab`: "",
		`x{0,3}abcd?`: "abc", `(`: "",
	} {
		if got := requiredLiteral(re); got != want {
			t.Errorf("%s: %q, want %q", re, got, want)
		}
	}
}

func TestDefaultMapping(t *testing.T) {
	m, err := DefaultMapping()
	if err != nil {
		t.Fatal(err)
	}
	got := m.candidates("CommandLine")
	want := []string{"process.command_line", "ProcessCommandLine", "CommandLine", "winlog.event_data.CommandLine",
		"haidang.extra.CommandLine"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, targets := range m.names {
		if slices.Contains(targets, name) {
			t.Errorf("%s stands for itself", name)
		}
	}
	for _, bad := range [][2]string{{"a", ""}, {"a,b\na,c", ""}, {"", "a,b"}, {"\"", ""}} {
		if _, err := ParseMapping(bad[0], bad[1]); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}
