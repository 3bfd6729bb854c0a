// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haidang-soc/haidang/internal/sinks"
)

// Check turns the status of an answer into what the sink contract says: nil for 2xx, a *sinks.RetryError for what may
// pass, sinks.ErrPermanent for the rest. The body is not looked at.
func Check(resp *http.Response) error {
	code := resp.StatusCode
	err := fmt.Errorf("the peer answered %d %s", code, http.StatusText(code))
	switch {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusTooManyRequests:
		return &sinks.RetryError{After: RetryAfter(resp.Header, time.Minute), Err: err, Refused: true}
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		return &sinks.RetryError{After: RetryAfter(resp.Header, 0), Err: err}
	}
	return sinks.Permanent(err)
}

// RetryAfter reads the header of that name, seconds or a date (RFC 9110 section 10.2.3); without a usable one it
// returns otherwise.
func RetryAfter(h http.Header, otherwise time.Duration) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseUint(v, 10, 32); err == nil {
		return max(time.Duration(s)*time.Second, time.Second)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(time.Until(at), time.Second)
	}
	return otherwise
}

// Failed turns an error of a client into what the sink contract says, without its URL.
func Failed(err error) error {
	return &sinks.RetryError{Err: Clean(err), Refused: NotSent(err)}
}

// Body reads what a peer answered, up to what a receipt keeps.
func Body(resp *http.Response) []byte {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, sinks.MaxAnswer)) // what was read is all there is to show
	return b
}
