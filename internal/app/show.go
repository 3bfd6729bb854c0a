// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
)

// shown is what people see of an alert's document.
type shown struct {
	At    time.Time `json:"@timestamp"`
	Event struct {
		Start, End time.Time
		URL        string
	}
	Rule    struct{ ID, Name, Description string }
	Haidang struct {
		Alert struct {
			ID          string
			Update      uint32
			Status      alert.Status
			Severity    string
			Level       uint8
			Count       uint64
			Why         []string
			System      []alert.System
			Group       []alert.KV
			Steps       []string
			Assignee    string
			Disposition alert.Disposition
			Incident    *alert.Incident
			History     []alert.Step
			Query       string
			Evidence    []struct {
				Time     time.Time
				Original string
				Fields   []alert.KV
			}
		}
	}
}

// Style says how alerts are shown to people.
type Style struct {
	Colour bool
	Zone   *time.Location // nil is the machine's
}

func (s Style) at(t time.Time, layout string) string {
	if s.Zone == nil {
		return t.Local().Format(layout)
	}
	return t.In(s.Zone).Format(layout)
}

// paint puts text into a colour of the terminal, by severity.
func paint(severity alert.Severity, text string, colour bool) string {
	if !colour {
		return text
	}
	code := map[alert.Severity]string{alert.Info: "36", alert.Low: "32", alert.Medium: "33", alert.High: "31",
		alert.Critical: "1;31"}[severity]
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// AlertLine is an alert's document as one line for people: local time, severity, level, system, title, who, count, id.
func AlertLine(doc json.RawMessage, style Style) string {
	var s shown
	if err := json.Unmarshal(doc, &s); err != nil {
		return string(doc)
	}
	a := &s.Haidang.Alert
	severity, _ := alert.ParseSeverity(a.Severity)
	word := paint(severity, fmt.Sprintf("%-10s", severity.Vietnamese()), style.Colour)
	level := ""
	if a.Level > 0 {
		level = fmt.Sprintf("cấp %d", a.Level)
	}
	var systems []string
	for _, x := range a.System {
		systems = append(systems, x.Name)
	}
	count := ""
	if a.Count > 1 {
		count = fmt.Sprintf(" ×%d", a.Count)
	}
	return fmt.Sprintf("%s  %s  %-5s  %s%s  [%s]  %s  %s  %s", style.at(s.At, "02/01 15:04:05"), word, level,
		s.Rule.Name, count, strings.Join(systems, "; "), group(a.Group), a.Status.Vietnamese(), a.ID)
}

func group(list []alert.KV) string {
	parts := make([]string, 0, len(list))
	for _, kv := range list {
		if kv.Value != "" {
			parts = append(parts, kv.Field+"="+kv.Value)
		}
	}
	return strings.Join(parts, " ")
}

// evidenceShown is how many events of an alert are shown; the query lists the rest.
const evidenceShown = 8

// ShowAlert prints an alert's document for people: what, why by policy and by law, what to do, evidence, history.
func ShowAlert(w io.Writer, doc json.RawMessage, style Style) error {
	var s shown
	if err := json.Unmarshal(doc, &s); err != nil {
		return err
	}
	a := &s.Haidang.Alert
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n  %s\n", AlertLine(doc, style), s.Rule.Description)
	fmt.Fprintf(&b, "  Từ %s đến %s, %d sự kiện\n", style.at(s.Event.Start, "15:04:05 02/01/2006"),
		style.at(s.Event.End, "15:04:05"), a.Count)
	for _, x := range a.System {
		status := ""
		if x.Status != "" {
			status = " (" + x.Status + ")"
		}
		fmt.Fprintf(&b, "  Hệ thống: %s, cấp %d%s\n", x.Name, x.Level, status)
	}
	for _, line := range a.Why {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	section(&b, "Việc cần làm", a.Steps)
	if len(a.Evidence) > 0 {
		fmt.Fprintf(&b, "\n  Bằng chứng\n")
		for i, e := range a.Evidence {
			if i == evidenceShown {
				fmt.Fprintf(&b, "    ... còn %d; tất cả: haidang query '%s'\n", len(a.Evidence)-i, a.Query)
				break
			}
			text := e.Original
			if text == "" {
				text = group(e.Fields)
			}
			fmt.Fprintf(&b, "    %s  %s\n", style.at(e.Time, "15:04:05"), text)
		}
	}
	if i := a.Incident; i != nil {
		fmt.Fprintf(&b, "\n  SỰ CỐ, do %s xác định lúc %s\n", i.By, style.moment(i.At))
		for _, c := range i.Clocks {
			fmt.Fprintf(&b, "    hạn %s  %s (%s, %s)\n", style.moment(c.Due), c.Name, c.Clause.Text, c.Clause.Certainty)
		}
	}
	for _, h := range a.History {
		fmt.Fprintf(&b, "\n  %s  %s  %s  %s", style.moment(h.At), h.Actor, h.Kind.Vietnamese(), h.Note)
	}
	fmt.Fprintf(&b, "\n  %s\n", s.Event.URL)
	_, err := io.WriteString(w, b.String())
	return err
}

func section(b *strings.Builder, title string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  %s\n", title)
	for i, x := range list {
		fmt.Fprintf(b, "    %d. %s\n", i+1, x)
	}
}

func (s Style) moment(ns int64) string { return s.at(time.Unix(0, ns), "15:04 02/01/2006") }

// Moment is a time as people read it, to the second.
func (s Style) Moment(t time.Time) string { return s.at(t, "15:04:05 02/01/2006") }
