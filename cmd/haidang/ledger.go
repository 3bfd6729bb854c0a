// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/haidang-soc/haidang/internal/ledger"
)

type ledgerCmd struct {
	Show    ledgerShowCmd    `cmd:"" default:"withargs" help:"The balance by source; status 1 when something is missing."`
	Origins ledgerOriginsCmd `cmd:"" help:"List senders that no system claims, and what they look like."`
	Adopt   ledgerAdoptCmd   `cmd:"" help:"Take an address into the inventory file, as a component of a system."`
}

// Help is shown by --help.
func (ledgerCmd) Help() string {
	return `Example:
  haidang ledger
  haidang ledger origins
  haidang ledger adopt 10.10.1.99 --system portal --site dc1`
}

type ledgerShowCmd struct{ remote }

// Run shows the balance.
func (c *ledgerShowCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := remote.Do(s.ctx, "GET", "/ledger", nil, &raw); err != nil {
		return err
	}
	var v ledger.View
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	if c.JSON {
		fmt.Fprintf(s.out, "%s\n", raw)
	} else if err := c.table(s, &v); err != nil {
		return err
	}
	if !v.Balanced {
		return &exitError{1, nil}
	}
	return nil
}

func (c *ledgerShowCmd) table(s *streams, v *ledger.View) error {
	style := c.style(s)
	fmt.Fprintf(s.out, "Sổ tính từ %s (%s), vị trí cuối %d\n", style.Moment(v.Since), v.Reason, v.End)
	for _, st := range v.Stages {
		fmt.Fprintf(s.out, "  %-10s đã đọc đến %d, chậm %d bản ghi\n", st.Name, st.Position, st.Lag)
	}
	fmt.Fprintln(s.out)
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tNGUỒN (source)\tNHẬN (received)\tMẤT (dropped)\tVÀO (accepted)\tTRÙNG (known)\tGIẢI MÃ (decoded)\t"+
		"CHƯA (undecoded)\tLỖI (errors)\tĐỌC LẠI (read)\tLƯU (stored)\tHẾT HẠN (expired)\tHỎNG (dead)\t")
	for i := range v.Sources {
		r := &v.Sources[i]
		flag := ""
		if len(r.Troubles) > 0 {
			flag = "!"
		}
		dropped := uint64(0)
		for _, n := range r.Dropped {
			dropped += n
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", flag, r.Source, r.Received, dropped,
			r.Accepted, r.Known+r.Cut, r.Decoded, r.Undecoded, r.Errors, r.Read, r.Stored, r.Expired, r.Dead)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range v.Sources {
		r := &v.Sources[i]
		for _, t := range r.Troubles {
			word, n := "thiếu (missing)", t.Count
			if n < 0 {
				word, n = "thừa (too many)", -n
			}
			fmt.Fprintf(s.out, "! %s, chặng %s (hop): %s %d, từ %s, vị trí %s\n", r.Source, t.Hop, word, n,
				style.Moment(t.Since), t.At)
		}
		if x := r.Loss; x != nil && (x.Datagrams > 0 || x.Flows > 0 || x.Templates > 0) {
			fmt.Fprintf(s.out, "  %s: mất trước khi đến (lost before us): UDP %d (%.2f %%), luồng %d (%.2f %%), thiếu mẫu %d\n",
				r.Source, x.Datagrams, x.DatagramPercent, x.Flows, x.FlowPercent, x.Templates)
		}
		if r.DropUnits > 0 {
			fmt.Fprintf(s.out, "  %s: nguồn khai bỏ (declared drop) %d: %s\n", r.Source, r.DropUnits, r.DropWhy)
		}
	}
	word := "Cân bằng (balanced)"
	if !v.Balanced {
		word = "KHÔNG CÂN BẰNG (not balanced)"
	}
	_, err := fmt.Fprintf(s.out, "%s; %d nguồn gửi (origins)\n", word, v.Origins)
	return err
}

type ledgerOriginsCmd struct {
	remote
	All bool `help:"Those of known systems as well."`
}

// Run lists senders.
func (c *ledgerOriginsCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	style := c.style(s)
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(w, "NGUỒN (origin)\tSITE\tTRÔNG GIỐNG (looks like)\tHỆ THỐNG (system)\tSỰ KIỆN (events)\tCHƯA GIẢI MÃ\t"+
			"LẦN CUỐI (last)\tLỆCH GIỜ (skew)\tGHI CHÚ")
	}
	q := url.Values{}
	if !c.All {
		q.Set("unknown", "true")
	}
	for {
		var page struct {
			Origins []ledger.Origin `json:"origins"`
			After   string          `json:"after"`
		}
		if err := remote.Do(s.ctx, "GET", "/ledger/origins?"+q.Encode(), nil, &page); err != nil {
			return err
		}
		for i := range page.Origins {
			o := &page.Origins[i]
			if c.JSON {
				if err := json.NewEncoder(s.out).Encode(o); err != nil {
					return err
				}
				continue
			}
			var notes []string
			if o.Lost != 0 {
				notes = append(notes, "! mất "+strconv.FormatInt(o.Lost, 10))
			}
			if o.Silent {
				notes = append(notes, "im lặng")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%+.1f s\t%s\n", o.Name, o.Site, o.LooksLike, o.System, o.Accepted,
				o.Undecoded, style.Moment(o.Last), o.Skew, strings.Join(notes, ", "))
		}
		if page.After == "" {
			return w.Flush()
		}
		q.Set("after", page.After)
	}
}

type ledgerAdoptCmd struct {
	remote
	Address   string `arg:"" help:"IP address of the sender."`
	System    string `required:"" help:"Id of the system it belongs to."`
	Site      string `help:"Site from which the address is seen; none is whatever the site."`
	Component string `help:"Name of the new component."`
}

// Run adopts.
func (c *ledgerAdoptCmd) Run(s *streams) error {
	remote, err := c.client()
	if err != nil {
		return err
	}
	var done struct{ Address, System, Inventory string }
	err = remote.Do(s.ctx, "POST", "/ledger/adopt", map[string]string{"address": c.Address, "system": c.System,
		"site": c.Site, "component": c.Component}, &done)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s thuộc hệ thống %s từ nay (inventory %s)\n", done.Address, done.System, done.Inventory)
	return err
}
