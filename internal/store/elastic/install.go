// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

type object = map[string]any

// template is an index template or a component of one.
type template struct {
	name      string
	component bool
	body      object
}

const maxFields = 8000 // names an index maps; what comes beyond is kept in the documents but not indexed

// templates returns what the cluster must know before it makes the first index. A cluster before 8.14 has neither a
// data stream lifecycle that may be relied on nor a soft limit on fields.
func templates(classes []int, recent bool) []template {
	settings := object{
		"index.codec": "best_compression",
		// A value that is not what its field should be is kept and found by its text; it does not cost the event.
		"index.mapping.ignore_malformed":   true,
		"index.mapping.total_fields.limit": maxFields,
		"index.sort.field":                 []string{"@timestamp"},
		"index.sort.order":                 []string{"desc"},
		"index.translog.durability":        "request", // acknowledged is on disk
	}
	if recent {
		settings["index.mapping.total_fields.ignore_dynamic_beyond_limit"] = true
	}
	// What ECS does not name may be a number today and a text tomorrow: all of it is a keyword.
	var dynamic []object
	for _, kind := range []string{"string", "long", "double", "boolean"} {
		dynamic = append(dynamic, object{"haidang_" + kind: object{"match_mapping_type": kind,
			"mapping": object{"type": "keyword", "ignore_above": longest}}})
	}
	// One component, since the server checks the mappings of a component against the limit in its own settings.
	list := []template{{"haidang", true, object{"template": object{"settings": settings, "mappings": object{
		"date_detection": false, "dynamic_templates": dynamic, "properties": mappings()}}}}}
	composed := []string{"haidang"}
	for _, days := range classes {
		class := "r" + strconv.Itoa(days)
		body := object{"priority": 500, "composed_of": composed, "data_stream": object{},
			"index_patterns": []string{streamPrefix + "event-" + class, streamPrefix + "flow-" + class}}
		if recent {
			body["template"] = object{"lifecycle": object{"data_retention": strconv.Itoa(days) + "d"}}
		}
		list = append(list, template{"haidang-" + class, false, body})
	}
	return append(list, template{signalAlias, false, object{"priority": 500, "composed_of": composed,
		"index_patterns": []string{signalAlias + "-*"}}})
}

// install makes sure, once in a process, that the cluster has the templates and the index of signals.
func (s *Store) install(ctx context.Context) error {
	s.setting.Lock()
	defer s.setting.Unlock()
	if s.set {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	var info struct {
		Version struct {
			Number string `json:"number"`
		} `json:"version"`
	}
	res, err := esapi.InfoRequest{}.Do(ctx, s.client)
	if err := read(res, err, &info); err != nil {
		return fmt.Errorf("store/elastic: asking the cluster for its version: %w", err)
	}
	recent, err := recent(info.Version.Number)
	if err != nil {
		return err
	}
	for _, t := range templates(s.cfg.Classes, recent) {
		if err := s.put(ctx, t); err != nil {
			return fmt.Errorf("store/elastic: installing the template %s: %w", t.name, err)
		}
	}
	if err := s.makeSignals(ctx); err != nil {
		return fmt.Errorf("store/elastic: making the index behind %s: %w", signalAlias, err)
	}
	s.set = true
	return nil
}

// uninstall makes the next try look at templates and alias again.
func (s *Store) uninstall() {
	s.setting.Lock()
	defer s.setting.Unlock()
	s.set = false
}

// recent reports whether the version is 8.14 or later, and refuses one before 8.
func recent(version string) (bool, error) {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, err := strconv.Atoi(first)
	minor, err2 := strconv.Atoi(second)
	if err != nil || err2 != nil || major < 8 {
		return false, fmt.Errorf("store/elastic: the cluster has version %.40q: 8.0 or later is needed", version)
	}
	return major > 8 || minor >= 14, nil
}

// put installs a template, unless the one that is there was made of the same text: what an operator changed in it
// since then stays.
func (s *Store) put(ctx context.Context, t template) error {
	text, err := json.Marshal(t.body)
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("%08x", crc32.ChecksumIEEE(text))
	var there struct {
		Components []struct {
			T meta `json:"component_template"`
		} `json:"component_templates"`
		Indices []struct {
			T meta `json:"index_template"`
		} `json:"index_templates"`
	}
	var res *esapi.Response
	if t.component {
		res, err = esapi.ClusterGetComponentTemplateRequest{Name: []string{t.name},
			FilterPath: []string{"*.component_template._meta"}}.Do(ctx, s.client)
	} else {
		res, err = esapi.IndicesGetIndexTemplateRequest{Name: t.name,
			FilterPath: []string{"*.index_template._meta"}}.Do(ctx, s.client)
	}
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusNotFound {
		drain(res)
	} else if err := read(res, nil, &there); err != nil {
		return err
	}
	for _, c := range there.Components {
		if c.T.Meta.Sum == sum {
			return nil
		}
	}
	for _, c := range there.Indices {
		if c.T.Meta.Sum == sum {
			return nil
		}
	}
	t.body["_meta"] = object{"managed_by": "haidang", "haidang_sum": sum}
	if text, err = json.Marshal(t.body); err != nil {
		return err
	}
	if t.component {
		res, err = esapi.ClusterPutComponentTemplateRequest{Name: t.name, Body: bytes.NewReader(text)}.Do(ctx, s.client)
	} else {
		res, err = esapi.IndicesPutIndexTemplateRequest{Name: t.name, Body: bytes.NewReader(text)}.Do(ctx, s.client)
	}
	return read(res, err, nil)
}

type meta struct {
	Meta struct {
		Sum string `json:"haidang_sum"`
	} `json:"_meta"`
}

// makeSignals makes the first index of signals. It is never rolled over: an id is unique in one index only.
func (s *Store) makeSignals(ctx context.Context) error {
	res, err := esapi.IndicesExistsAliasRequest{Name: []string{signalAlias}}.Do(ctx, s.client)
	if err != nil {
		return err
	}
	drain(res)
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
	default:
		return answered(res)
	}
	body, err := json.Marshal(object{"aliases": object{signalAlias: object{"is_write_index": true}}})
	if err != nil {
		return err
	}
	res, err = esapi.IndicesCreateRequest{Index: signalAlias + "-000001", Body: bytes.NewReader(body)}.Do(ctx, s.client)
	err = read(res, err, nil)
	if e := new(answerError); errors.As(err, &e) && e.reason.Type == "resource_already_exists_exception" {
		return nil
	}
	return err
}
