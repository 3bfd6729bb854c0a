// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/haidang-soc/haidang/internal/alert"
	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/sinktest"
	"github.com/haidang-soc/haidang/internal/sinks/slack"
)

const (
	token   = "xoxb-0123-very-secret"
	channel = "C0123456789"
)

func newSink(t *testing.T, client *http.Client, base string) sinks.Sink {
	t.Helper()
	s, err := slack.New(slack.Config{Token: token, Channel: channel, API: base, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, sinktest.Kind{
		New: func(t *testing.T, client *http.Client, base string) sinks.Sink {
			return newSink(t, client, base+"/api/")
		},
		Peer: func() (http.Handler, func() int) {
			peer := new(sinktest.SlackPeer)
			return peer, func() int { return len(peer.Messages()) }
		},
		Secrets: []string{token},
	})
}

// talk sends deliveries of one alert to a peer, keeping what the outbox would keep.
type talk struct {
	t    *testing.T
	peer *sinktest.SlackPeer
	sink sinks.Sink
	d    *sinks.Delivery
}

func newTalk(t *testing.T) *talk {
	peer := new(sinktest.SlackPeer)
	sink := newSink(t, sinktest.Client(peer), "https://slack.example/api/")
	return &talk{t: t, peer: peer, sink: sink, d: sinktest.Delivery(1, sinks.Full)}
}

func (k *talk) send() {
	k.t.Helper()
	receipt, err := k.sink.Send(k.t.Context(), k.d)
	if err != nil {
		k.t.Fatal(err)
	}
	k.d.Prior = receipt
}

// act makes the delivery one about a person's action.
func (k *talk) act(a alert.Action, n int) {
	a.Alert = k.d.Alerts[0].ID
	k.d.Action, k.d.Change, k.d.Key = &a, a.Kind, fmt.Sprintf("%s.1.test.%d", a.Alert, n)
}

func TestOneThreadAnAlert(t *testing.T) {
	k := newTalk(t)
	k.send()
	k.d.States[0].Status = alert.StatusAcknowledged
	k.act(alert.Action{Kind: alert.Acknowledge, Actor: "lan.tran", Note: "đang xem"}, 2)
	k.send()
	k.act(alert.Action{Kind: alert.Close, Actor: "lan.tran", Disposition: alert.FalsePositive}, 3)
	k.send()
	got := k.peer.Messages()
	if len(got) != 3 || got[0].Edits != 2 {
		t.Fatalf("%d messages, the first edited %d times; want 3 and 2", len(got), got[0].Edits)
	}
	for _, m := range got[1:] {
		if m.Thread != got[0].TS {
			t.Errorf("%q is not in the alert's thread", m.Text)
		}
	}
	if !strings.Contains(string(got[0].Blocks), "Đã tiếp nhận") || !strings.Contains(got[2].Text, "Báo nhầm") {
		t.Errorf("the messages do not tell: %s\n%s", got[0].Blocks, got[2].Text)
	}
}

func TestLostAnswerOfAReply(t *testing.T) {
	k := newTalk(t)
	k.send()
	ref := k.d.Prior.Ref
	k.act(alert.Action{Kind: alert.Comment, Actor: "lan", Note: "ghi chú"}, 2)
	k.peer.Before = func(method string) sinktest.SlackFault {
		return sinktest.SlackFault{Drop: method == "chat.postMessage"}
	}
	if _, err := k.sink.Send(t.Context(), k.d); err == nil {
		t.Fatal("a dropped connection gave no error")
	}
	k.peer.Before = nil
	k.d.Prior = sinks.Receipt{Ref: ref, State: sinks.Unknown}
	k.send()
	if n := len(k.peer.Messages()); n != 2 {
		t.Errorf("%d messages, want the alert and one reply", n)
	}
}

// A 429 on the reply must not be reported as refused when the message itself was just posted: it would be posted twice.
func TestRefusedOnlyWhileNothingHappened(t *testing.T) {
	k := newTalk(t)
	posts := 0
	k.peer.Before = func(method string) sinktest.SlackFault {
		if method == "chat.postMessage" {
			if posts++; posts == 2 {
				return sinktest.SlackFault{Limit: 30 * time.Second}
			}
		}
		return sinktest.SlackFault{}
	}
	k.act(alert.Action{Kind: alert.Comment, Actor: "lan", Note: "ghi chú"}, 2)
	_, err := k.sink.Send(t.Context(), k.d)
	var again *sinks.RetryError
	if !errors.As(err, &again) || again.After != 30*time.Second || again.Refused {
		t.Fatalf("%#v, want a RetryError after 30 s that is not called refused", err)
	}
	k.d.Prior = sinks.Receipt{State: sinks.Unknown}
	k.send()
	if n := len(k.peer.Messages()); n != 2 {
		t.Errorf("%d messages, want the alert and one reply", n)
	}
}

func TestFindsItsMessageAmongMany(t *testing.T) {
	k := newTalk(t)
	k.d.Since = time.Now()
	k.send()
	for i := range 450 { // more than two pages of others
		d := sinktest.Delivery(9, sinks.Pointer)
		d.Alerts[0].ID[4], d.Alerts[0].ID[5] = byte(i), byte(i>>8)
		if _, err := k.sink.Send(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	k.d.Prior = sinks.Receipt{State: sinks.Unknown}
	k.send()
	if n := len(k.peer.Messages()); n != 451 {
		t.Errorf("%d messages, want 451", n)
	}
	if n := k.peer.Calls("conversations.history"); n != 3 {
		t.Errorf("%d look-ups, want 3 pages", n)
	}
}

func TestDeletedMessageIsPostedAnew(t *testing.T) {
	k := newTalk(t)
	k.d.Prior = sinks.Receipt{Ref: channel + ":1.000001", State: sinks.Done}
	k.send()
	if n := len(k.peer.Messages()); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	k.d.Prior = sinks.Receipt{Ref: "C9999999999:1.000001", State: sinks.Done} // another channel was configured
	k.send()
	if n := len(k.peer.Messages()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

func TestSlacksWords(t *testing.T) {
	for said, permanent := range map[string]bool{
		"ratelimited": false, "internal_error": false, "invalid_auth": true, "channel_not_found": true, "msg_too_long": true,
	} {
		k := newTalk(t)
		k.peer.Before = func(string) sinktest.SlackFault { return sinktest.SlackFault{Word: said} }
		_, err := k.sink.Send(t.Context(), k.d)
		if err == nil || errors.Is(err, sinks.ErrPermanent) != permanent || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v, want permanent %v", said, err, permanent)
		}
	}
}

func TestWhatSlackIsShown(t *testing.T) {
	blocks := func(d *sinks.Delivery) string {
		m := slack.Render(d)
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(m.Blocks); err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(b.String()) + m.Text
	}
	full := blocks(sinktest.Delivery(1, sinks.Full))
	for _, want := range []string{
		"Cao", "*Cấp độ*\\n3", "Cổng dịch vụ công", "`source.ip = 198.51.100.7`", "Dò mật khẩu SSH vào máy chủ",
		"`user.name = &lt;!channel&gt;ˋ*a*ˋ`", "`Failed password for &lt;root&gt; &amp; nguyễn`", "09:10:00 02/09/2026",
		"<https://soc.example/alerts/01000000000000000000000000000000|Mở trong Hải đăng>", "Mới",
	} {
		if !strings.Contains(full, want) {
			t.Errorf("full: %q is missing in\n%s", want, full)
		}
	}
	if strings.Contains(full, "<!channel>") || strings.Contains(full, "\x1b") || strings.Contains(full, `\u001b`) {
		t.Errorf("what an attacker wrote got through: %s", full)
	}
	pointer := blocks(sinktest.Delivery(1, sinks.Pointer))
	for _, secret := range []string{"198.51", "Dò mật khẩu", "Cổng", "root", "lan", "2026"} {
		if strings.Contains(pointer, secret) {
			t.Errorf("pointer: %q is in\n%s", secret, pointer)
		}
	}
	for _, want := range []string{"Cao", "*Cấp độ*\\n3", "01000000000000000000000000000000"} {
		if !strings.Contains(pointer, want) {
			t.Errorf("pointer: %q is missing in\n%s", want, pointer)
		}
	}
}

func TestTextIsBounded(t *testing.T) {
	d := sinktest.Delivery(1, sinks.Full)
	a := d.Alerts[0]
	long := strings.Repeat("<&ễ*`", 5000)
	a.Rule.Title, a.Rule.Description = long, long
	for range 40 {
		a.Group = append(a.Group, alert.KV{Field: "user.name", Value: long})
		a.Systems = append(a.Systems, alert.System{ID: "x", Name: long})
		a.Evidence = append(a.Evidence, alert.Evidence{Original: long})
	}
	d.States[0].Incident = &alert.Incident{Clocks: make([]alert.Clock, 64)}
	d.States[0].Assignee = long
	d.Action = &alert.Action{Kind: alert.Comment, Actor: long, Note: long}
	data, err := json.Marshal(slack.Render(d).Blocks)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []struct {
		Text     struct{ Text string }
		Fields   []struct{ Text string }
		Elements []struct{ Text string }
	}
	if err := json.Unmarshal(data, &blocks); err != nil {
		t.Fatal(err)
	}
	for i, b := range blocks {
		if n := len([]rune(b.Text.Text)); n > 3000 {
			t.Errorf("block %d: %d characters, Slack takes 3000", i, n)
		}
		if len(b.Fields) > 10 {
			t.Errorf("block %d: %d fields, Slack takes 10", i, len(b.Fields))
		}
		for _, f := range b.Fields {
			if n := len([]rune(f.Text)); n > 2000 {
				t.Errorf("block %d: a field of %d characters, Slack takes 2000", i, n)
			}
		}
	}
	if n := len([]rune(slack.RenderAction(d))); n > 4000 {
		t.Errorf("a reply of %d characters", n)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]slack.Config{
		"no token":     {Channel: channel, Client: http.DefaultClient},
		"channel name": {Token: token, Channel: "#soc", Client: http.DefaultClient},
		"no client":    {Token: token, Channel: channel},
		"bad api":      {Token: token, Channel: channel, API: "ftp://x", Client: http.DefaultClient},
	} {
		if _, err := slack.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error shows the token", name)
		}
	}
}
