// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package slack shows alerts in a Slack channel: one message an alert, updated in place, with what people do as replies
// in its thread.
//
// Slack has no idempotency key. So every message carries the alert's id in its metadata, and after an answer that was
// not clear the message is looked up by it before another is posted. Whatever comes from an event is escaped, shown as
// code and cut to length before it becomes part of a message.
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/outbound"
)

// The event types in the metadata of our messages.
const (
	alertEvent  = "haidang_alert"
	actionEvent = "haidang_action"
)

// Config says which channel alerts are shown in.
type Config struct {
	Token   outbound.Secret // a bot token with chat:write, channels:history or groups:history, and metadata.message:read
	Channel string          // id, such as C0123456789; names do not work for looking messages up
	API     string          // empty is https://slack.com/api/
	Client  *http.Client    // from outbound.New
}

// Sink posts to one channel.
type Sink struct {
	client  *api.Client
	channel string
}

// New checks the configuration and opens nothing.
func New(cfg Config) (*Sink, error) {
	base := cmp.Or(cfg.API, api.APIURL)
	switch {
	case cfg.Token == "":
		return nil, errors.New("slack: token: needed")
	case !regexp.MustCompile(`^[CGD][A-Z0-9]{5,20}$`).MatchString(cfg.Channel):
		return nil, fmt.Errorf("slack: channel %.40q: want its id, as at the end of Copy link", cfg.Channel)
	case cfg.Client == nil:
		return nil, errors.New("slack: without a client")
	}
	if err := outbound.CheckURL(base); err != nil {
		return nil, fmt.Errorf("slack: api: %w", err)
	}
	if !strings.HasSuffix(base, "/") {
		base += "/"
	}
	client := api.New(cfg.Token.Reveal(), api.OptionAPIURL(base), api.OptionHTTPClient(strict{cfg.Client}))
	return &Sink{client: client, channel: cfg.Channel}, nil
}

// Send posts the alert, or brings its message up to date, and replies in its thread to what a person did.
func (s *Sink) Send(ctx context.Context, d *sinks.Delivery) (sinks.Receipt, error) {
	if len(d.States) != 1 {
		return sinks.Receipt{}, sinks.Permanent(errors.New("slack: want one alert a message"))
	}
	c := call{sink: s, ctx: ctx, d: d}
	ts, err := c.show()
	if err == nil && d.Action != nil {
		err = c.reply(ts)
	}
	if err != nil {
		return sinks.Receipt{}, fmt.Errorf("slack: %w", c.classify(err))
	}
	return sinks.Receipt{Ref: s.channel + ":" + ts, State: sinks.Done}, nil
}

// call is one Send.
type call struct {
	sink   *Sink
	ctx    context.Context
	d      *sinks.Delivery
	effect bool // something of this delivery is already at Slack
}

// show posts or updates the message of the alert and returns its timestamp, which is its name.
func (c *call) show() (string, error) {
	ts := c.ref()
	if ts == "" && c.d.Prior.State == sinks.Unknown {
		var err error
		if ts, err = c.find(); err != nil {
			return "", fmt.Errorf("looking for the alert's message: %w", err)
		}
	}
	if ts == "" {
		return c.post()
	}
	_, _, _, err := c.sink.client.UpdateMessageContext(c.ctx, c.sink.channel, ts, c.message()...)
	switch word(err) {
	case "":
		if err != nil {
			return "", fmt.Errorf("updating: %w", err)
		}
	case "message_not_found": // somebody deleted it
		return c.post()
	case "edit_window_closed", "cant_update_message": // the workspace allows no late edits: the thread still tells
	default:
		return "", fmt.Errorf("updating: %w", err)
	}
	c.effect = true
	return ts, nil
}

func (c *call) post() (string, error) {
	_, ts, err := c.sink.client.PostMessageContext(c.ctx, c.sink.channel, c.message()...)
	if err == nil && ts == "" {
		err = errors.New("the answer names no message")
	}
	if err != nil {
		return "", fmt.Errorf("posting: %w", err)
	}
	c.effect = true
	return ts, nil
}

// ref returns the timestamp that an earlier delivery left.
func (c *call) ref() string {
	channel, ts, ok := strings.Cut(c.d.Prior.Ref, ":")
	if !ok || channel != c.sink.channel { // the sink was given another channel since
		return ""
	}
	return ts
}

func (c *call) message() []api.MsgOption {
	s := c.d.States[0]
	m := Render(c.d)
	return []api.MsgOption{
		api.MsgOptionText(m.Text, false), api.MsgOptionBlocks(m.Blocks...), api.MsgOptionDisableLinkUnfurl(),
		api.MsgOptionMetadata(api.SlackMetadata{EventType: alertEvent, EventPayload: map[string]any{
			"alert_id": s.Alert.ID.String(), "update": strconv.Itoa(int(c.d.Update)), "key": c.d.Key,
		}}),
	}
}

// A look-up reads at most this many messages; beyond, the message counts as not there.
const (
	lookPages = 25
	lookLimit = 200
)

// find looks for the alert's message among those posted since the alert entered the log.
func (c *call) find() (string, error) {
	oldest := ""
	if c.d.Since.Unix() > 0 {
		oldest = strconv.FormatInt(c.d.Since.Add(-10*time.Minute).Unix(), 10) // clocks differ
	}
	p := api.GetConversationHistoryParameters{
		ChannelID: c.sink.channel, Oldest: oldest, Limit: lookLimit, IncludeAllMetadata: true,
	}
	id := c.d.Alerts[0].ID.String()
	for range lookPages {
		page, err := c.sink.client.GetConversationHistoryContext(c.ctx, &p)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(page.Messages, func(m api.Message) bool {
			return m.Metadata.EventType == alertEvent && m.Metadata.EventPayload["alert_id"] == id
		})
		if i >= 0 {
			return page.Messages[i].Timestamp, nil
		}
		p.Cursor = page.ResponseMetaData.NextCursor
		if p.Cursor == "" {
			return "", nil
		}
	}
	return "", nil
}

// reply tells in the thread what a person did, once.
func (c *call) reply(ts string) error {
	if c.d.Prior.State == sinks.Unknown {
		found, err := c.replied(ts)
		if err != nil {
			return fmt.Errorf("looking for the reply: %w", err)
		}
		if found {
			return nil
		}
	}
	_, got, err := c.sink.client.PostMessageContext(c.ctx, c.sink.channel,
		api.MsgOptionTS(ts), api.MsgOptionText(RenderAction(c.d), false), api.MsgOptionDisableLinkUnfurl(),
		api.MsgOptionMetadata(api.SlackMetadata{EventType: actionEvent, EventPayload: map[string]any{
			"alert_id": c.d.Alerts[0].ID.String(), "key": c.d.Key,
		}}))
	if err == nil && got == "" {
		err = errors.New("the answer names no message")
	}
	if err != nil {
		return fmt.Errorf("replying: %w", err)
	}
	return nil
}

func (c *call) replied(ts string) (bool, error) {
	p := api.GetConversationRepliesParameters{
		ChannelID: c.sink.channel, Timestamp: ts, Limit: lookLimit, IncludeAllMetadata: true,
	}
	for range lookPages {
		replies, _, next, err := c.sink.client.GetConversationRepliesContext(c.ctx, &p)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(replies, func(m api.Message) bool {
			return m.Metadata.EventType == actionEvent && m.Metadata.EventPayload["key"] == c.d.Key
		}) {
			return true, nil
		}
		if p.Cursor = next; next == "" {
			break
		}
	}
	return false, nil
}
