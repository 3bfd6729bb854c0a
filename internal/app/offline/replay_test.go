// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReplayMerges: files are merged by event time, whatever their order; the window spans them.
func TestReplayMerges(t *testing.T) {
	var parts [3]strings.Builder
	for i := range 12 {
		parts[i%3].WriteString(guess(i))
	}
	var files []string
	for i := range parts {
		files = append(files, write(t, fmt.Sprintf("auth%d.log", i), parts[i].String()))
	}
	set, inv := builtin(t), province(t, 3, "vn-2026")
	var want []doc
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		var list []string
		for _, i := range order {
			list = append(list, files[i])
		}
		got, stats := replay(t, Config{Rules: set, Inventory: inv, Updates: true}, list...)
		if stats.Events != 12 || stats.Alerts == 0 {
			t.Errorf("%v: %+v", order, stats)
		}
		if want == nil {
			want = got
		}
		same := slices.EqualFunc(got, want, func(a, b doc) bool {
			return a.At.Equal(b.At) && a.Haidang.Alert.Count == b.Haidang.Alert.Count && a.Rule.ID == b.Rule.ID
		})
		if !same {
			t.Errorf("%v: other alerts:\n%+v\n%+v", order, got, want)
		}
	}
	if i := slices.IndexFunc(want, func(d doc) bool { return d.Haidang.Alert.Count == 5 }); i < 0 {
		t.Errorf("no alert at the fifth attempt over three files: %+v", want)
	}
}

// TestReplayUpdates: without --updates each alert is told once, as it ended, in the order of raising.
func TestReplayUpdates(t *testing.T) {
	var log strings.Builder
	for i := range 12 {
		log.WriteString(guess(i))
	}
	path := write(t, "auth.log", log.String())
	cfg := Config{Rules: builtin(t), Inventory: province(t, 4, "vn-2026")}
	final, _ := replay(t, cfg, path)
	cfg.Updates = true
	all, _ := replay(t, cfg, path)
	last, order := map[string]doc{}, []string{}
	for _, d := range all {
		id := d.Haidang.Alert.ID
		old, ok := last[id]
		if !ok {
			order = append(order, id)
		}
		if d.Haidang.Alert.Update != old.Haidang.Alert.Update+1 {
			t.Errorf("update %d follows %d", d.Haidang.Alert.Update, old.Haidang.Alert.Update)
		}
		last[id] = d
	}
	if len(all) <= len(final) || len(final) != len(order) {
		t.Fatalf("%d updates, %d alerts, %d final", len(all), len(order), len(final))
	}
	for i, d := range final {
		if d.Haidang.Alert.ID != order[i] || d.Haidang.Alert.Update != last[order[i]].Haidang.Alert.Update {
			t.Errorf("final %d: %+v", i, d)
		}
	}
}

// TestReplayEnd: that nothing comes behind the end of the input is no silence; a silence within it is one.
func TestReplayEnd(t *testing.T) {
	line := func(minute int, host string) string {
		return fmt.Sprintf("<30>Nov 24 %02d:%02d:00 %s systemd[1]: Started Kiểm tra định kỳ.\n", minute/60, minute%60, host)
	}
	var until, past strings.Builder
	until.WriteString(line(0, "dvc-web-01"))
	until.WriteString(line(1, "dvc-web-01"))
	for m := range 180 {
		past.WriteString(line(m, "khac-01"))
	}
	cfg := Config{Rules: builtin(t), Inventory: province(t, 3, "vn-2026"), Site: "dc1"}
	silences := func(files ...string) (n int) {
		t.Helper()
		got, _ := replay(t, cfg, files...)
		for _, d := range got {
			if strings.Contains(d.Rule.Name, "im lặng") {
				n++
			}
		}
		return n
	}
	short := write(t, "dvc.log", until.String())
	if n := silences(short); n != 0 {
		t.Errorf("%d silences at the end of the input", n)
	}
	if n := silences(short, write(t, "khac.log", past.String())); n != 1 {
		t.Errorf("%d silences within the input, want 1", n)
	}
}

// TestReplayInput: odd files cost nothing but themselves.
func TestReplayInput(t *testing.T) {
	cfg := Config{Rules: builtin(t), Inventory: province(t, 3, "vn-2026")}
	odd := write(t, "odd.log", "\n\r\n\x00\xff\n"+strings.Repeat("x", 1<<20)+"\nkhông rõ, không có dòng cuối")
	if _, stats := replay(t, cfg, odd); stats.Events != 3 {
		t.Errorf("%+v", stats)
	}
	if _, stats := replay(t, cfg, write(t, "empty.log", "")); stats.Events != 0 || !stats.First.IsZero() {
		t.Errorf("%+v", stats)
	}
	if _, err := Replay(t.Context(), cfg, io.Discard, filepath.Join(t.TempDir(), "không-có.log")); err == nil {
		t.Error("a file that does not exist")
	}
	if _, err := Replay(t.Context(), cfg, io.Discard, write(t, "x.pcap", "no capture")); err == nil {
		t.Error("a capture that is none")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Replay(ctx, cfg, io.Discard, odd); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
