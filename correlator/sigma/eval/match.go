// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/haidang-soc/haidang/internal/event"
	"github.com/haidang-soc/haidang/internal/event/fulltext"
)

// Scratch is the working memory of Match. The zero value is ready; it belongs to one goroutine at a time, and to one
// Set until it is used with another.
type Scratch struct {
	set     *Set
	epoch   uint32
	fired   []uint32 // by atom: the epoch in which it was true
	decided []uint32 // by lazy atom: the epoch in which it was decided
	there   []uint32 // by logical field: the epoch in which the event had it
	woken   []uint32 // by rule
	rules   []int32  // woken in this event
	row     int32
	word    []byte
	folded  []byte
	text    []byte
	ev      Event
	hits    []Hit
	matched []Matched
}

func (sc *Scratch) begin(s *Set, ev Event) {
	if sc.set != s || sc.epoch == 1<<32-1 {
		*sc = Scratch{set: s,
			fired:   make([]uint32, len(s.atoms)),
			decided: make([]uint32, len(s.atoms)),
			there:   make([]uint32, len(s.logical)),
			woken:   make([]uint32, len(s.rules)),
		}
	}
	sc.epoch++
	sc.ev = ev
	sc.rules, sc.hits, sc.matched = sc.rules[:0], sc.hits[:0], sc.matched[:0]
	sc.row = unasked
}

// Match returns the rules that an event matches, in the order of their indexes. A rule is skipped where the event's own
// log source contradicts the rule's. The hits are valid until the next Match with the same Scratch. It does not
// allocate once the Scratch has grown, except for what regular expressions and rare text need.
func (s *Set) Match(ev Event, sc *Scratch) []Hit {
	sc.begin(s, ev)
	for id, v := range ev.Fields() {
		s.walk(sc, id, v)
	}
	for _, id := range s.headers {
		if v, ok := ev.Get(id); ok {
			s.walk(sc, id, v)
		}
	}
	for _, r := range s.always {
		s.wake(sc, r)
	}
	slices.Sort(sc.rules)
	for _, r := range sc.rules {
		if s.eval(sc, s.roots[r]) {
			from := len(sc.matched)
			s.explain(sc, s.roots[r], from)
			sc.hits = append(sc.hits, Hit{Rule: int(r), Matched: sc.matched[from:len(sc.matched):len(sc.matched)]})
		}
	}
	return sc.hits
}

// wake puts a rule on the list of those to evaluate, unless its log source is contradicted.
func (s *Set) wake(sc *Scratch, r int32) {
	if sc.woken[r] == sc.epoch {
		return
	}
	sc.woken[r] = sc.epoch
	if sc.row == unasked {
		sc.row = s.router.row(sc.ev, sc)
	}
	if sc.row == unrouted || !s.router.refuses[sc.row][s.sources[r]] {
		sc.rules = append(sc.rules, r)
	}
}

func (s *Set) fire(sc *Scratch, x int32) {
	if sc.fired[x] == sc.epoch {
		return
	}
	sc.fired[x] = sc.epoch
	for _, r := range s.triggers[x] {
		s.wake(sc, r)
	}
}

// walk runs what there is for a field over its value, which is brought to text and folded once.
func (s *Set) walk(sc *Scratch, id FieldID, v Value) {
	fields := s.fieldsOf(id)
	texts := s.keywords != nil && s.keywords.texts && isMessage(id, v)
	keywords := texts
	for _, f := range fields {
		sc.there[f] = sc.epoch
		m := &s.matchers[f]
		texts = texts || m.texts
		for _, x := range m.present {
			s.fire(sc, x)
		}
	}
	if !texts {
		return
	}
	for x := range v.All {
		text := sc.textOf(x)
		if !fulltext.IsASCII(text) {
			sc.folded = s.folder.append(sc.folded[:0], text)
			text = unsafeString(sc.folded)
		}
		for _, f := range fields {
			s.scan(sc, &s.matchers[f], text)
		}
		if keywords {
			s.scan(sc, s.keywords, text)
		}
	}
}

// textOf returns a value as text, valid until the next call.
func (sc *Scratch) textOf(v Value) string {
	switch v.Kind() {
	case event.String:
		return v.Str()
	case event.Int:
		sc.text = strconv.AppendInt(sc.text[:0], v.Int(), 10)
	default:
		sc.text = v.AppendText(sc.text[:0])
	}
	return unsafeString(sc.text)
}

// scan runs the automata of a matcher over a folded (or ASCII) text.
func (s *Set) scan(sc *Scratch, m *matcher, text string) {
	if a := m.prefix; a != nil {
		at := a.start
		for i := 0; at != dead; i++ {
			if a.loud(at) {
				for _, x := range a.output(at) {
					if i == len(text) || s.atoms[x].place == placePrefix {
						s.fire(sc, x)
					}
				}
			}
			if i == len(text) {
				break
			}
			at = a.step(at, a.class[text[i]])
		}
	}
	if a := m.suffix; a != nil {
		at := a.start
		for i := len(text) - 1; i >= 0; i-- {
			if at = a.step(at, a.class[text[i]]); at == dead {
				break
			}
			s.fireAll(sc, a, at)
		}
	}
	if a := m.contains; a != nil {
		at := a.start
		for i := range len(text) {
			at = a.step(at, a.class[text[i]])
			s.fireAll(sc, a, at)
		}
	}
}

func (s *Set) fireAll(sc *Scratch, a *automaton, at uint32) {
	if a.loud(at) {
		for _, x := range a.output(at) {
			s.fire(sc, x)
		}
	}
}

// unsafeString is a string over bytes that do not change while it is used.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// eval decides a node.
func (s *Set) eval(sc *Scratch, x int32) bool {
	n := s.nodes[x]
	switch n.op {
	case opAtom:
		return s.holds(sc, n.arg)
	case opNot:
		return !s.eval(sc, n.arg)
	case opAnd:
		for _, child := range s.children[n.arg : n.arg+n.n] {
			if !s.eval(sc, child) {
				return false
			}
		}
		return true
	default:
		for _, child := range s.children[n.arg : n.arg+n.n] {
			if s.eval(sc, child) {
				return true
			}
		}
		return false
	}
}

// holds decides an atom; a lazy one once an event.
func (s *Set) holds(sc *Scratch, x int32) bool {
	a := &s.atoms[x]
	switch a.kind {
	case atomLiteral, atomPresent:
		return sc.fired[x] == sc.epoch
	case atomAbsent:
		return sc.there[a.field] != sc.epoch
	}
	if a.pre >= 0 && sc.fired[a.pre] != sc.epoch {
		return false
	}
	if sc.decided[x] != sc.epoch {
		sc.decided[x] = sc.epoch
		if _, _, ok := s.find(sc, a); ok {
			sc.fired[x] = sc.epoch
		}
	}
	return sc.fired[x] == sc.epoch
}

// find looks for a value that satisfies an atom.
func (s *Set) find(sc *Scratch, a *atom) (FieldID, Value, bool) {
	if a.field == keywordField {
		for id, v := range sc.ev.Fields() {
			if isMessage(id, v) {
				if x, ok := s.satisfies(sc, a, v); ok {
					return id, x, true
				}
			}
		}
		return 0, Value{}, false
	}
	for _, id := range s.logical[a.field].ids {
		if v, ok := sc.ev.Get(id); ok {
			if x, ok := s.satisfies(sc, a, v); ok {
				return id, x, true
			}
		}
	}
	return 0, Value{}, false
}

// satisfies returns the element of a value that satisfies an atom.
func (s *Set) satisfies(sc *Scratch, a *atom, v Value) (Value, bool) {
	for x := range v.All {
		ok := false
		switch a.kind {
		case atomPresent:
			ok = true
		case atomNumber:
			n, is := number(x)
			ok = is && a.op.Holds(n, a.num)
		case atomCIDR:
			ip, is := address(x)
			ok = is && a.net.Contains(ip)
		case atomFieldRef:
			ok = s.refers(sc, a, x)
		default:
			text := sc.textOf(x)
			sc.folded = s.folder.append(sc.folded[:0], text)
			ok = a.matchText(fulltext.NFC(text), unsafeString(sc.folded))
		}
		if ok {
			return x, true
		}
	}
	return Value{}, false
}

// refers reports whether a value stands in the relation of an atom to any value of the other field.
func (s *Set) refers(sc *Scratch, a *atom, v Value) bool {
	text := s.folder.fold(v.String())
	for _, id := range s.logical[a.other].ids {
		other, ok := sc.ev.Get(id)
		if !ok {
			continue
		}
		for o := range other.All {
			if a.matchRef(text, s.folder.fold(o.String())) {
				return true
			}
		}
	}
	return false
}

// number reads a value as a number: a number, or a text that is one.
func number(v Value) (float64, bool) {
	switch v.Kind() {
	case event.Int, event.Float:
		return v.Float(), true
	case event.String:
		n, err := strconv.ParseFloat(v.Str(), 64)
		return n, err == nil
	}
	return 0, false
}

// address reads a value as an address: an address, or a text that is one.
func address(v Value) (netip.Addr, bool) {
	switch v.Kind() {
	case event.IP:
		return v.IP(), true
	case event.String:
		a, err := netip.ParseAddr(v.Str())
		return a.Unmap().WithZone(""), err == nil
	}
	return netip.Addr{}, false
}

// explain collects the comparisons that made a node true, each once from sc.matched[from] on.
func (s *Set) explain(sc *Scratch, x int32, from int) {
	n := s.nodes[x]
	switch n.op {
	case opAtom:
		a := &s.atoms[n.arg]
		m := Matched{}
		if a.field != keywordField {
			m.Name = s.logical[a.field].name
		}
		if a.kind != atomAbsent {
			id, v, ok := s.find(sc, a)
			if !ok {
				return
			}
			m.Field, m.Value = id, v.String()
		}
		if !slices.Contains(sc.matched[from:], m) {
			sc.matched = append(sc.matched, m)
		}
	case opAnd, opOr:
		for _, child := range s.children[n.arg : n.arg+n.n] {
			if s.eval(sc, child) {
				s.explain(sc, child, from)
			}
		}
	}
}

// isMessage reports whether keywords look at a field: at every value of the event but times and what the pipeline
// itself says.
func isMessage(id FieldID, v Value) bool {
	if v.Kind() == event.Time {
		return false
	}
	name := id.Name()
	if strings.HasPrefix(name, "haidang.") {
		return strings.HasPrefix(name, "haidang.extra") || id == event.HaidangURLPath
	}
	if strings.HasPrefix(name, "event.") {
		return id == event.EventOriginal || id == event.EventReason || id == event.EventCode
	}
	return true
}
