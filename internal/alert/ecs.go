// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/event"
)

// Source is the name under which alert updates are appended to the spool; the unit of its ranges is the entry.
const Source = "alerts"

// Signals writes every entry after number after to w as one ECS event, in order, until ctx is done or w fails for good.
// The epoch must be that of the log's stream, so that a repeated range is known to w.
func (l *Log) Signals(ctx context.Context, w event.Writer, epoch, after uint64) error {
	b := event.NewBuilder(Source, epoch)
	for e, err := range l.Subscribe(ctx, after) {
		if err != nil {
			return err
		}
		b.Reset(Source, epoch)
		if e.State != nil {
			e.State.Event(b, e.N)
		}
		if err := w.Write(ctx, b.Batch(e.N, e.N+1)); err != nil {
			return fmt.Errorf("alert: writing entry %d to the spool: %w", e.N, err)
		}
	}
	return nil
}

// Event adds one event to b: the alert as a signal in ECS names, as it stands after entry n. Readers take the highest
// haidang.alert.entry of an alert id.
func (s *State) Event(b *event.Builder, n uint64) {
	a := s.Alert
	b.Begin(n, 0)
	b.Time(event.Timestamp, a.Since)
	b.Time(event.EventCreated, s.ChangedAt)
	b.Str(event.EventKind, "signal")
	b.Str(event.EventDataset, "haidang.alert")
	b.Str(event.EventModule, "haidang")
	b.Time(event.EventStart, a.First)
	b.Time(event.EventEnd, a.Last)
	b.Int(event.EventSeverity, eventSeverity(a.Severity))
	b.Str(event.Message, a.Rule.Title)
	b.Str(event.RuleID, a.Rule.ID)
	b.Str(event.RuleName, a.Rule.Title)
	if a.Rule.Description != "" {
		b.Str(event.RuleDescription, a.Rule.Description)
	}
	b.Str(event.HaidangAlertID, a.ID.String())
	b.Int(event.HaidangAlertUpdate, int64(a.Update))
	b.Int(event.HaidangAlertEntry, int64(n))
	b.Str(event.HaidangAlertStatus, string(s.Status))
	b.Str(event.HaidangAlertSeverity, a.Severity.String())
	b.Int(event.HaidangAlertLevel, int64(a.Level))
	b.Int(event.HaidangAlertCount, int64(a.Count))
	b.Strs(event.HaidangAlertWhy, a.Why()...)
	b.Str(event.HaidangAlertQuery, a.Query)
	b.Bool(event.HaidangAlertIncident, s.Incident != nil)
	if s.Assignee != "" {
		b.Str(event.HaidangAlertAssignee, s.Assignee)
	}
	if s.Disposition != "" {
		b.Str(event.HaidangAlertDisposition, string(s.Disposition))
	}
	events := make([]string, 0, len(a.Evidence))
	for i := range a.Evidence {
		events = append(events, a.Evidence[i].Event.String())
	}
	b.Strs(event.HaidangAlertEvents, events...)
	s.subjects(b)
	b.End()
}

// subjects sets who and what the alert is about: the systems, their level and owners, and the group-by values under
// their own names, so that a search for an address finds its alerts.
func (s *State) subjects(b *event.Builder) {
	a := s.Alert
	if a.Level > 0 {
		b.Int(event.HaidangLevel, int64(a.Level))
	}
	for _, y := range a.Systems {
		b.Append(event.HaidangSystemID, y.ID)
		b.Append(event.HaidangSystemName, y.Name)
	}
	for _, u := range a.Units {
		b.Append(event.HaidangUnitID, u)
	}
	for _, kv := range a.Group {
		if id, ok := event.Lookup(kv.Field); !ok || b.Has(id) || !setText(b, id, kv.Value) {
			b.Extra(kv.Field, kv.Value)
		}
	}
}

// setText sets a field from its text, and reports whether the text fits the type of the field.
func setText(b *event.Builder, id event.FieldID, text string) bool {
	switch id.Type() {
	case event.String:
		b.Str(id, text)
	case event.IP:
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return false
		}
		b.IP(id, addr)
	case event.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return false
		}
		b.Int(id, n)
	default:
		return false
	}
	return true
}

// eventSeverity is the severity as the number that ECS's event.severity holds; its scale is ours.
func eventSeverity(s Severity) int64 { return []int64{0, 21, 47, 73, 99}[min(s, Critical)] }

// Why explains the severity in two parts: the policy row that gave it, then the chain of clauses that imposes the duty
// to watch, each with its certainty.
func (a *Alert) Why() []string {
	var why []string
	if a.Policy != "" {
		why = append(why, "Chính sách: "+a.Policy)
	}
	for _, c := range a.Basis {
		line := "Căn cứ: " + c.Text
		if c.Certainty != "" {
			line += " (" + c.Certainty + ")"
		}
		why = append(why, line)
	}
	return why
}

// document is the ECS form of an alert: the format that webhooks and the API send.
type document struct {
	Timestamp string   `json:"@timestamp,omitempty"`
	ECS       version  `json:"ecs"`
	Event     docEvent `json:"event"`
	Message   string   `json:"message,omitempty"`
	Rule      *docRule `json:"rule,omitempty"`
	Haidang   docOwn   `json:"haidang"`
}

type version struct {
	Version string `json:"version"`
}

type docEvent struct {
	Kind     string `json:"kind"`
	Action   Kind   `json:"action,omitempty"` // what the document is about: raised, updated, close ...
	Dataset  string `json:"dataset"`
	Start    string `json:"start,omitempty"`
	End      string `json:"end,omitempty"`
	Severity int64  `json:"severity"`
	URL      string `json:"url,omitempty"`
}

type docRule struct {
	ID          string   `json:"id"`
	Name        string   `json:"name,omitempty"`
	Description string   `json:"description,omitempty"`
	Category    []string `json:"category,omitempty"`
}

type docOwn struct {
	Alert docAlert `json:"alert"`
}

type docAlert struct {
	ID          string        `json:"id"`
	Update      uint32        `json:"update"`
	Entry       uint64        `json:"entry"`
	Status      Status        `json:"status"`
	Severity    string        `json:"severity"`
	Level       uint8         `json:"level"`
	Count       uint64        `json:"count,omitempty"`
	Why         []string      `json:"why,omitempty"`
	System      []System      `json:"system,omitempty"`
	Group       []KV          `json:"group,omitempty"`
	Unit        []string      `json:"unit,omitempty"`
	Steps       []string      `json:"steps,omitempty"`
	Assignee    string        `json:"assignee,omitempty"`
	Disposition Disposition   `json:"disposition,omitempty"`
	Incident    *Incident     `json:"incident,omitempty"`
	History     []Step        `json:"history,omitempty"`
	Query       string        `json:"query,omitempty"`
	Evidence    []docEvidence `json:"evidence,omitempty"`
}

type docEvidence struct {
	Event    string `json:"event"`
	Time     string `json:"time"`
	Fields   []KV   `json:"fields,omitempty"`
	Original string `json:"original,omitempty"`
}

// AppendJSON appends the alert as one ECS document: event.kind signal, rule.*, haidang.alert.*. What is empty in the
// state is absent, so a state that was cut down for a sink discloses no more than it holds. link and change may be
// empty.
func (s *State) AppendJSON(dst []byte, link string, change Kind) ([]byte, error) {
	a := s.Alert
	doc := document{
		Timestamp: stamp(a.Since), ECS: version{"9.0.0"}, Message: a.Rule.Title,
		Event: docEvent{
			Kind: "signal", Action: change, Dataset: "haidang.alert", Start: stamp(a.First), End: stamp(a.Last),
			Severity: eventSeverity(a.Severity), URL: link,
		},
		Haidang: docOwn{docAlert{
			ID: a.ID.String(), Update: a.Update, Entry: s.Entry, Status: s.Status, Severity: a.Severity.String(),
			Level: a.Level, Count: a.Count, Why: a.Why(), System: a.Systems, Group: a.Group, Unit: a.Units,
			Steps: a.Rule.Steps, Assignee: s.Assignee, Disposition: s.Disposition, Incident: s.Incident,
			History: s.History, Query: a.Query,
		}},
	}
	if a.Rule.ID != "" {
		doc.Rule = &docRule{a.Rule.ID, a.Rule.Title, a.Rule.Description, a.Rule.Tags}
	}
	for i := range a.Evidence {
		e := &a.Evidence[i]
		doc.Haidang.Alert.Evidence = append(doc.Haidang.Alert.Evidence,
			docEvidence{e.Event.String(), stamp(e.Time), e.Fields, e.Original})
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return dst, fmt.Errorf("alert %s: writing JSON: %w", a.ID, err)
	}
	return append(dst, out...), nil
}

// stamp writes a time as RFC 3339 in UTC, and "" for none.
func stamp(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
}

// Who returns the group-by values as one line, for messages: "source.ip 198.51.100.7, user.name root".
func (a *Alert) Who() string {
	parts := make([]string, 0, len(a.Group))
	for _, kv := range a.Group {
		parts = append(parts, kv.Field+" "+kv.Value)
	}
	return strings.Join(parts, ", ")
}
