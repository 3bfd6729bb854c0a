// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/haidang-soc/haidang/internal/event"
)

// RenderConfig says what Render reads, how and where to.
type RenderConfig struct {
	Set *Set
	In  io.Reader
	Out io.Writer
	// Name is the source that event ids are made from, a file's name.
	Name string
	// Now is when the lines are taken to arrive; the zero Time means the present.
	Now time.Time
	// Zone of times that name none; nil means Asia/Ho_Chi_Minh.
	Zone *time.Location
	// Encoding of the lines; "" means UTF-8.
	Encoding string
	// JSON asks for one nested ECS document a line instead of the form for people.
	JSON bool
	// Colour marks names with terminal colours in the form for people.
	Colour bool
	// Enrich adds what the inventory knows; nil adds nothing.
	Enrich func(b *event.Builder, site string)
}

// Render decodes each line of In and writes what came out, in order: one line in, one document out, an empty line and
// one that nothing decodes included. Lines longer than MaxOriginal are cut and marked; memory is bounded whatever In
// holds. It returns when In ends, when ctx is done (checked at each line) or when reading or writing fails.
func Render(ctx context.Context, cfg RenderConfig) error {
	if cfg.Now.IsZero() {
		cfg.Now = time.Now()
	}
	in := bufio.NewReaderSize(cfg.In, 64<<10)
	out := bufio.NewWriterSize(cfg.Out, 64<<10)
	b := event.NewBuilder("decode/"+cfg.Name, 0)
	var line, doc []byte
	for unit := uint64(1); ; unit++ {
		var err error
		if line, err = readLine(in, line[:0]); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return errors.Join(fmt.Errorf("decode: reading %s: %w", cfg.Name, err), out.Flush())
		}
		b.Reset("decode/"+cfg.Name, 0)
		b.Begin(unit, 0)
		m := Meta{Received: cfg.Now, Zone: cfg.Zone, Encoding: cfg.Encoding}
		why, bad := cfg.Set.recovered(b, line, &m)
		if bad != nil {
			b.Begin(unit, 0)
			b.Bytes(event.EventOriginal, line[:min(len(line), MaxOriginal)])
			b.Time(event.EventCreated, cfg.Now.UnixNano())
			b.Time(event.Timestamp, cfg.Now.UnixNano())
			Unusable(b, bad)
		}
		if cfg.Enrich != nil {
			cfg.Enrich(b, "")
		}
		b.End()
		e := b.Batch(unit, unit+1).At(0)
		if cfg.JSON {
			doc = append(event.AppendJSON(doc[:0], e, false), '\n')
		} else {
			doc = appendHuman(doc[:0], unit, e, why, cfg.Colour)
		}
		if _, err = out.Write(doc); err == nil && in.Buffered() == 0 {
			err = out.Flush() // somebody may be typing
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("decode: writing the result: %w", err)
		}
		doc = bounded(doc)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("decode: writing the result: %w", err)
	}
	return nil
}

// recovered is explain with a panic as an error.
func (s *Set) recovered(b *event.Builder, raw []byte, m *Meta) (e Explanation, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoders: decoding a message: panic: %v", p)
			e = Explanation{Decoder: "none", Why: err.Error(), Header: "none"}
		}
	}()
	return s.explain(b, raw, m), nil
}

// bounded lets go of a buffer that one long line has grown.
func bounded(b []byte) []byte {
	if cap(b) > 1<<20 {
		return nil
	}
	return b
}

// readLine appends the next line without its end to dst, at most one byte more than MaxOriginal; what is beyond is
// read and dropped. io.EOF says that there is no further line.
func readLine(in *bufio.Reader, dst []byte) ([]byte, error) {
	some := false
	for {
		part, err := in.ReadSlice('\n')
		some = some || len(part) > 0
		full := err == nil
		if full {
			part = part[:len(part)-1]
		}
		dst = append(dst, part[:min(len(part), MaxOriginal+1-len(dst))]...)
		switch {
		case full, errors.Is(err, io.EOF) && some:
			if n := len(dst); n > 0 && dst[n-1] == '\r' {
				dst = dst[:n-1]
			}
			return dst, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return dst, err
		}
	}
}

// The colours of the form for people.
const (
	colourName  = "\x1b[36m"
	colourHead  = "\x1b[1m"
	colourReset = "\x1b[0m"
)

// appendHuman appends the form for people: the line's number, who took it and why, and its fields, aligned.
func appendHuman(dst []byte, n uint64, e event.Event, why Explanation, colour bool) []byte {
	head, name, reset := "", "", ""
	if colour {
		head, name, reset = colourHead, colourName, colourReset
	}
	dst = fmt.Appendf(dst, "%sline %d: %s%s, because %s (header: %s)\n", head, n, why.Decoder, reset,
		printable(why.Why), why.Header)
	width := len("@timestamp")
	for id := range e.Fields() {
		width = max(width, len(id.Name()))
	}
	width = min(width, 48)
	put := func(id event.FieldID, v event.Value) {
		field := printable(id.Name())
		dst = fmt.Appendf(dst, "  %s%-*s%s  %s\n", name, width, field, reset, printable(v.String()))
	}
	if v, ok := e.Get(event.Timestamp); ok {
		put(event.Timestamp, v)
	}
	for id, v := range e.Fields() {
		put(id, v)
	}
	return append(dst, '\n')
}

// printable escapes what a terminal could take for a command, and line ends.
func printable(s string) string {
	for i, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return s[:i] + quotedRest(s[i:])
		}
	}
	return s
}

func quotedRest(s string) string {
	out := make([]byte, 0, len(s)+8)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			out = append(out, s[i:i+size]...)
		default:
			q := strconv.AppendQuoteRune(nil, r)
			out = append(out, q[1:len(q)-1]...)
		}
		i += size
	}
	return string(out)
}
