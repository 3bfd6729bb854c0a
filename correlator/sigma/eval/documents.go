// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/haidang-soc/haidang/internal/event"
)

// maxDocument is the longest document in bytes that Documents reads.
const maxDocument = 4 << 20

// Document is one event as it was read.
type Document struct {
	N     int   // its number, from 1, over everything read
	Line  int   // where it begins in its input, from 1
	Event Event // stays valid
	Err   error // the document could not be read; it keeps its number, and Event has what could
}

// Documents yields the JSON documents of an input as events, numbered from first on: nested, dotted or flat names, and
// Windows events as evtx tools write them. A document may stretch over lines; one that begins with { at the start of a
// line ends a broken one before it. The last pair may carry an error of reading.
func Documents(r io.Reader, first int) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		d := documentReader{in: bufio.NewReaderSize(r, 64<<10)}
		b := event.NewBuilder("eval", 0)
		for n := first; ; n++ {
			text, line, err := d.next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(Document{N: n, Line: line}, err)
				}
				return
			}
			b.Reset("eval", 0)
			b.Begin(uint64(n), 0)
			err = ReadDocument(b, text)
			b.End()
			if !yield(Document{N: n, Line: line, Event: b.Batch(uint64(n), uint64(n)+1).At(0), Err: err}, nil) {
				return
			}
		}
	}
}

// documentReader cuts an input into documents.
type documentReader struct {
	in   *bufio.Reader
	line int
	held []byte // a line already read that begins the next document
	done bool
}

func (d *documentReader) readLine() ([]byte, error) {
	if d.held != nil {
		line := d.held
		d.held = nil
		return line, nil
	}
	if d.done {
		return nil, io.EOF
	}
	var line []byte
	for {
		part, err := d.in.ReadSlice('\n')
		if len(line)+len(part) > maxDocument {
			return nil, fmt.Errorf("line %d: longer than %d bytes", d.line+1, maxDocument)
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: reading: %w", d.line+1, err)
		}
		d.done = err != nil
		if d.done && len(line) == 0 {
			return nil, io.EOF
		}
		d.line++
		return line, nil
	}
}

// next returns the text of the next document and the line where it begins.
func (d *documentReader) next() ([]byte, int, error) {
	var doc []byte
	var scan bracketScanner
	start := 0
	for {
		line, err := d.readLine()
		if errors.Is(err, io.EOF) && doc != nil {
			return doc, start, nil
		}
		if err != nil {
			return nil, start, err
		}
		if doc == nil {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			start = d.line
		} else if line[0] == '{' {
			d.held = line
			return doc, start, nil
		}
		doc = append(doc, line...)
		if len(doc) > maxDocument {
			return nil, start, fmt.Errorf("line %d: a document longer than %d bytes", start, maxDocument)
		}
		if scan.add(line) {
			return doc, start, nil
		}
	}
}

// bracketScanner follows the nesting of JSON over lines.
type bracketScanner struct {
	depth           int
	text, backslash bool
}

// add takes a line and reports whether nothing is open after it.
func (s *bracketScanner) add(line []byte) bool {
	for _, c := range line {
		switch {
		case s.backslash:
			s.backslash = false
		case s.text:
			s.backslash, s.text = c == '\\', c != '"'
		case c == '"':
			s.text = true
		case c == '{' || c == '[':
			s.depth++
		case c == '}' || c == ']':
			s.depth--
		}
	}
	return s.depth <= 0
}

// ReadDocument puts one JSON document into the open event: a Windows event of the form {"Event": {"System": ...}} under
// its flat names (EventID, Channel, Provider_Name, Computer, and every datum under its own name), anything else as
// event.ReadJSON does. Empty texts are kept, since rules ask for them.
func ReadDocument(b *Builder, doc []byte) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var top map[string]any
	if err := dec.Decode(&top); err != nil {
		return fmt.Errorf("document: %w", err)
	}
	if flat := windowsEvent(top); flat != nil {
		text, err := json.Marshal(flat)
		if err != nil {
			return fmt.Errorf("document: %w", err)
		}
		doc, top = text, flat
	}
	if err := event.ReadJSON(b, doc); err != nil {
		return err
	}
	keepEmpty(b, "", top, 0)
	setTime(b)
	return nil
}

// keepEmpty sets the fields whose text is empty.
func keepEmpty(b *event.Builder, prefix string, m map[string]any, depth int) {
	for k, v := range m {
		switch v := v.(type) {
		case map[string]any:
			if depth < 32 {
				keepEmpty(b, prefix+k+".", v, depth+1)
			}
		case string:
			if id, ok := event.Intern(prefix + k); v == "" && ok && !b.Has(id) {
				b.Value(id, event.StringValue(""))
			}
		}
	}
}
