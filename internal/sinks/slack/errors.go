// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"errors"
	"fmt"
	"net/http"

	api "github.com/slack-go/slack"

	"github.com/haidang-soc/haidang/internal/sinks"
	"github.com/haidang-soc/haidang/internal/sinks/outbound"
)

// strict wraps the client that the library uses: what the library would swallow (a 429 without Retry-After) or would
// pass on with the URL becomes the errors of the sink contract right here.
type strict struct{ client *http.Client }

// Do sends one request.
func (s strict) Do(req *http.Request) (*http.Response, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, outbound.Failed(err)
	}
	if err := outbound.Check(resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// word returns Slack's own word for what went wrong, or "" for success and for errors that are not Slack's.
func word(err error) string {
	var slackErr api.SlackErrorResponse
	if errors.As(err, &slackErr) {
		return slackErr.Err
	}
	return ""
}

// classify turns an error of the library into what the sink contract says.
func (c *call) classify(err error) error {
	var again *sinks.RetryError
	if errors.As(err, &again) {
		// Refused holds for the whole delivery only while nothing of it has reached Slack.
		return &sinks.RetryError{After: again.After, Err: err, Refused: again.Refused && !c.effect}
	}
	if errors.Is(err, sinks.ErrPermanent) {
		return err
	}
	switch w := word(err); w {
	case "":
		return &sinks.RetryError{Err: err} // an answer that is no answer: cut off, or not JSON
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return &sinks.RetryError{Err: err, Refused: !c.effect}
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "accesslimited":
		return &sinks.RetryError{Err: err}
	default:
		return sinks.Permanent(fmt.Errorf("%w%s", err, advice(w)))
	}
}

// advice says what an operator can do about Slack's word.
func advice(w string) string {
	switch w {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired":
		return " (give the sink a valid bot token, then retry its dead letters)"
	case "channel_not_found", "not_in_channel":
		return " (invite the bot to the channel and check the channel's id, then retry the dead letters)"
	case "is_archived":
		return " (the channel is archived: configure another one, then retry the dead letters)"
	case "missing_scope":
		return " (the bot needs chat:write, channels:history or groups:history, and metadata.message:read)"
	}
	return ""
}
