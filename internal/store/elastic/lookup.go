// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

const (
	streamPrefix = "logs-haidang."
	allStreams   = streamPrefix + "*-r*"

	maxLookup = 10_000 // ids in one search: index.max_result_window
)

// missing returns the items of a bulk that no data stream holds, and its signals, which need no look. It searches all
// streams: with a new inventory an event may belong to another class than when it was sent. What was sent before is
// made searchable first. What a node takes only after the look is refused by `create` in the same index; it could come
// in twice only if the stream was rolled over in that very moment.
func (s *Store) missing(ctx context.Context, b *bulk) ([]item, error) {
	ids := make([]string, 0, len(b.items))
	for _, it := range b.items {
		if !it.signal {
			ids = append(ids, it.id)
		}
	}
	if len(ids) == 0 {
		return b.items, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	yes, no := true, false
	res, err := esapi.IndicesRefreshRequest{Index: []string{allStreams}, AllowNoIndices: &yes}.Do(ctx, s.client)
	var refreshed struct {
		Shards struct {
			Failed int `json:"failed"`
		} `json:"_shards"`
	}
	if err := read(res, err, &refreshed); err != nil {
		return nil, fmt.Errorf("store/elastic: refreshing before a look for ids: %w", err)
	}
	if n := refreshed.Shards.Failed; n > 0 {
		return nil, fmt.Errorf("store/elastic: refreshing before a look for ids: %d shards failed", n)
	}
	body, err := json.Marshal(map[string]any{"size": len(ids), "_source": false, "track_total_hits": false,
		"query": map[string]any{"ids": map[string]any{"values": ids}}})
	if err != nil {
		return nil, err
	}
	res, err = esapi.SearchRequest{Index: []string{allStreams}, Body: bytes.NewReader(body), AllowNoIndices: &yes,
		AllowPartialSearchResults: &no, FilterPath: []string{"timed_out", "_shards", "hits.hits._id"}}.Do(ctx, s.client)
	var found struct {
		TimedOut bool `json:"timed_out"`
		Shards   struct {
			Failed int `json:"failed"`
		} `json:"_shards"`
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := read(res, err, &found); err != nil {
		return nil, fmt.Errorf("store/elastic: looking for ids: %w", err)
	}
	if found.TimedOut || found.Shards.Failed > 0 {
		return nil, fmt.Errorf("store/elastic: looking for ids: the answer is incomplete: %d shards failed, timed out: %t",
			found.Shards.Failed, found.TimedOut)
	}
	have := make(map[string]bool, len(found.Hits.Hits))
	for _, h := range found.Hits.Hits {
		have[h.ID] = true
	}
	left := make([]item, 0, len(b.items))
	for _, it := range b.items {
		if it.signal || !have[it.id] {
			left = append(left, it)
		}
	}
	s.counts.lookedUp.Add(uint64(len(ids)))
	s.counts.known.Add(uint64(len(b.items) - len(left)))
	return left, nil
}

// read reads an answer of success into v (nil: into nothing).
func read(res *esapi.Response, err error, v any) error {
	if err != nil {
		return err
	}
	defer drain(res)
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		return answered(res)
	}
	if v == nil {
		return nil
	}
	return json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(v)
}
