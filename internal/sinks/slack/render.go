// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/sinks"
)

// Message is an alert as Slack shows it. Text is what notifications and screen readers use.
type Message struct {
	Text   string
	Blocks []api.Block
}

// Slack's bounds: 3000 characters a section, 2000 a field, 10 fields; ours are lower, since people read a channel
// on phones.
const (
	maxTitle = 200
	maxValue = 300
	maxProse = 900
	maxShown = 3 // evidence lines
)

// Render makes the message of an alert from what the delivery discloses.
func Render(d *sinks.Delivery) Message {
	s := d.States[0]
	a := s.Alert
	head := fmt.Sprintf("[%s] %s", a.Severity.Vietnamese(), title(s))
	m := Message{Text: head}
	m.section("*" + head + "*")

	fields := []string{"*Mức*\n" + a.Severity.Vietnamese(), "*Cấp độ*\n" + level(a), "*Trạng thái*\n" + status(s)}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, "*"+name+"*\n"+value)
		}
	}
	add("Hệ thống", systems(a))
	add("Đối tượng", who(a))
	if a.Count > 0 {
		add("Số sự kiện", fmt.Sprint(a.Count))
	}
	add("Phát hiện lúc", clock(a.Since))
	add("Người xử lý", code(s.Assignee, 80))
	m.fields(fields)

	if a.Rule.Description != "" {
		m.section(prose(a.Rule.Description, maxProse))
	}
	if text := evidence(a); text != "" {
		m.section("*Bằng chứng*\n" + text)
	}
	if text := clocks(s.Incident); text != "" {
		m.section("*Thời hạn của sự cố*\n" + text)
	}
	foot := "Mã cảnh báo `" + a.ID.String() + "`"
	if link := d.Links[0]; link != "" {
		foot += " · <" + escape(link) + "|Mở trong Hải đăng>"
	}
	m.Blocks = append(m.Blocks, api.NewContextBlock("", text(foot)))
	return m
}

// RenderAction makes the reply in the thread to what a person did.
func RenderAction(d *sinks.Delivery) string {
	a := d.Action
	out := "*" + a.Kind.Vietnamese() + "*"
	if a.Disposition != "" {
		out += ": " + a.Disposition.Vietnamese()
	}
	if a.Assignee != "" {
		out += ": " + code(a.Assignee, 80)
	}
	if a.Actor != "" {
		out += " – " + code(a.Actor, 80)
	}
	if a.At != 0 {
		out += ", " + clock(a.At)
	}
	if a.Note != "" {
		out += "\n" + prose(a.Note, maxProse)
	}
	return out
}

func (m *Message) section(t string) {
	m.Blocks = append(m.Blocks, api.NewSectionBlock(text(t), nil, nil))
}

func (m *Message) fields(list []string) {
	objects := make([]*api.TextBlockObject, 0, len(list))
	for _, f := range list {
		objects = append(objects, text(f))
	}
	m.Blocks = append(m.Blocks, api.NewSectionBlock(nil, objects[:min(len(objects), 10)], nil))
}

// text is mrkdwn without any automatic links or names.
func text(t string) *api.TextBlockObject {
	return api.NewTextBlockObject(api.MarkdownType, t, false, true)
}

func title(s *alert.State) string {
	if s.Alert.Rule.Title == "" {
		return "Cảnh báo an ninh mạng"
	}
	return prose(s.Alert.Rule.Title, maxTitle)
}

func level(a *alert.Alert) string {
	if a.Level == 0 {
		return "không có"
	}
	for _, y := range a.Systems {
		if y.Level == a.Level && y.Status != "" {
			return fmt.Sprintf("%d (%s)", a.Level, prose(y.Status, 60))
		}
	}
	return fmt.Sprint(a.Level)
}

func status(s *alert.State) string {
	out := s.Status.Vietnamese()
	if s.Disposition != "" {
		out += ": " + s.Disposition.Vietnamese()
	}
	if s.Incident != nil {
		out += " · Sự cố"
	}
	return out
}

func systems(a *alert.Alert) string {
	var names []string
	for i, y := range a.Systems {
		if i == 5 {
			names = append(names, fmt.Sprintf("và %d hệ thống khác", len(a.Systems)-i))
			break
		}
		name := y.Name
		if name == "" {
			name = y.ID
		}
		names = append(names, prose(name, 100))
	}
	return strings.Join(names, "\n")
}

func who(a *alert.Alert) string {
	var lines []string
	for i, kv := range a.Group {
		if i == 5 {
			break
		}
		lines = append(lines, code(kv.Field+" = "+kv.Value, maxValue))
	}
	return strings.Join(lines, "\n")
}

func evidence(a *alert.Alert) string {
	var lines []string
	for i := range a.Evidence {
		e := &a.Evidence[i]
		if i == maxShown {
			break
		}
		line := e.Original
		if line == "" {
			for _, kv := range e.Fields {
				line += kv.Field + "=" + kv.Value + " "
			}
		}
		lines = append(lines, clock(e.Time)+" "+code(line, maxValue))
	}
	return strings.Join(lines, "\n")
}

func clocks(in *alert.Incident) string {
	if in == nil {
		return ""
	}
	var lines []string
	for i, c := range in.Clocks {
		if i == 8 {
			break
		}
		line := prose(c.Name, 120) + ": trước " + clock(c.Due)
		if c.Reported != 0 {
			line += " (đã báo cáo)"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// clock writes a time as people in Vietnam read it.
func clock(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).In(time.FixedZone("+07", 7*3600)).Format("15:04:05 02/01/2006")
}

// prose makes a text safe for a message: no control or direction characters, no markup, at most limit characters.
func prose(s string, limit int) string {
	return escape(strings.Map(func(r rune) rune {
		switch r { // look-alikes that Slack takes for nothing
		case '*':
			return '∗'
		case '_':
			return 'ˍ'
		case '~':
			return '∼'
		case '`':
			return 'ˋ'
		}
		return r
	}, clip(s, limit)))
}

// code makes a value of an event safe and shows it as it is, in a fixed font.
func code(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '`':
			return 'ˋ'
		case '\n':
			return ' '
		}
		return r
	}, clip(s, limit))
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	return "`" + escape(s) + "`"
}

// clip drops control and direction characters and cuts a text so that it has at most limit characters once escaped.
func clip(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if r == utf8.RuneError || r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			r = ' '
		}
		switch r {
		case '&':
			n += len("&amp;")
		case '<', '>':
			n += len("&lt;")
		default:
			n++
		}
		if n > limit {
			return b.String() + "…"
		}
		b.WriteRune(r)
	}
	return b.String()
}

// escape replaces the three characters that Slack gives a meaning.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
