// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// SlackPeer behaves like Slack's Web API as far as the Slack sink uses it. Safe for concurrent use.
type SlackPeer struct {
	// Before, if set, is asked before each request, named by its method ("chat.postMessage"); what it returns happens.
	Before func(method string) SlackFault

	mu       sync.Mutex
	messages []SlackMessage
	calls    map[string]int
	last     int64
}

// SlackFault is what a SlackPeer does instead of answering as it should.
type SlackFault struct {
	Drop  bool          // does what is asked, then drops the connection
	Limit time.Duration // answers 429 with this Retry-After
	Down  bool          // answers 503 and does nothing, unless Drop is set, too
	Word  string        // answers {"ok": false, "error": Word}
}

// SlackMessage is a message as the peer keeps it.
type SlackMessage struct {
	Channel  string          `json:"-"`
	TS       string          `json:"ts"`
	Thread   string          `json:"thread_ts,omitempty"`
	Text     string          `json:"text"`
	Blocks   json.RawMessage `json:"blocks,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Edits    int             `json:"-"`
}

// Messages returns what the channel shows, replies included.
func (p *SlackPeer) Messages() []SlackMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.messages)
}

// Calls returns how often a method was asked for.
func (p *SlackPeer) Calls(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[method]
}

// ServeHTTP answers one call.
func (p *SlackPeer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.URL.Path[len("/"):]
	if i := len("api/"); len(method) > i && method[:i] == "api/" {
		method = method[i:]
	}
	var f SlackFault
	if p.Before != nil {
		f = p.Before(method)
	}
	p.mu.Lock()
	if p.calls == nil {
		p.calls = make(map[string]int)
	}
	p.calls[method]++
	p.mu.Unlock()
	switch {
	case f.Limit > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(f.Limit/time.Second)))
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case f.Down && !f.Drop:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case f.Word != "":
		answer(w, map[string]any{"ok": false, "error": f.Word})
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := p.do(method, r)
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
	answer(w, out)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client's trouble
}

func (p *SlackPeer) do(method string, r *http.Request) map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	channel := r.Form.Get("channel")
	switch method {
	case "chat.postMessage":
		p.last = max(p.last+1, time.Now().UnixMicro())
		m := SlackMessage{Channel: channel, Thread: r.Form.Get("thread_ts")}
		m.TS = fmt.Sprintf("%d.%06d", p.last/1e6, p.last%1e6)
		m.fill(r)
		p.messages = append(p.messages, m)
		return map[string]any{"ok": true, "channel": channel, "ts": m.TS}
	case "chat.update":
		for i := range p.messages {
			if m := &p.messages[i]; m.Channel == channel && m.TS == r.Form.Get("ts") {
				m.fill(r)
				m.Edits++
				return map[string]any{"ok": true, "channel": channel, "ts": m.TS, "text": m.Text}
			}
		}
		return map[string]any{"ok": false, "error": "message_not_found"}
	case "conversations.history":
		return p.page(r, func(m *SlackMessage) bool {
			return m.Channel == channel && m.Thread == "" && m.TS >= r.Form.Get("oldest")
		})
	case "conversations.replies":
		ts := r.Form.Get("ts")
		return p.page(r, func(m *SlackMessage) bool { return m.Channel == channel && (m.TS == ts || m.Thread == ts) })
	}
	return map[string]any{"ok": false, "error": "unknown_method"}
}

// page returns messages newest first, the size of a page at a time.
func (p *SlackPeer) page(r *http.Request, wanted func(*SlackMessage) bool) map[string]any {
	var all []SlackMessage
	for _, m := range slices.Backward(p.messages) {
		if wanted(&m) {
			if r.Form.Get("include_all_metadata") == "" {
				m.Metadata = nil
			}
			all = append(all, m)
		}
	}
	from, _ := strconv.Atoi(r.Form.Get("cursor")) // none is 0
	limit, _ := strconv.Atoi(r.Form.Get("limit"))
	to := min(from+max(limit, 1), len(all))
	next := ""
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return map[string]any{
		"ok": true, "messages": all[min(from, to):to], "has_more": next != "",
		"response_metadata": map[string]any{"next_cursor": next},
	}
}

func (m *SlackMessage) fill(r *http.Request) {
	m.Text = r.Form.Get("text")
	if b := r.Form.Get("blocks"); b != "" {
		m.Blocks = json.RawMessage(b)
	}
	if b := r.Form.Get("metadata"); b != "" {
		m.Metadata = json.RawMessage(b)
	}
}
