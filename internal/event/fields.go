// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	_ "embed"
	"strings"
	"sync"
	"sync/atomic"
)

//go:generate go run ./gen

// FieldID numbers a field. Ids 1 to 32767 are static: they are listed in fields.lock, never change and mean the same
// in every process. Ids from 32768 on are given out by Intern and mean something in this process only; the codec
// carries their names.
type FieldID uint16

// Kind is the type of a value.
type Kind uint8

// The kinds of values. A List holds values of one other kind.
const (
	None Kind = iota
	String
	Int
	Float
	Bool
	IP
	Time
	List
)

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

var kindNames = [...]string{"none", "string", "int", "float", "bool", "ip", "time", "list"}

const (
	firstDynamic = 1 << 15
	maxDynamic   = 8192 // names one process may register
	maxName      = 256  // bytes of a dynamic name
)

//go:embed fields.lock
var lockFile string

type staticTable struct {
	names [staticFields + 1]string
	kinds [staticFields + 1]Kind
	lists [staticFields + 1]bool
	ids   map[string]FieldID
}

var static = sync.OnceValue(func() *staticTable {
	t := &staticTable{ids: make(map[string]FieldID, staticFields)}
	id := 0
	for line := range strings.Lines(lockFile) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		id++
		p := strings.Split(line, ",")
		t.names[id] = p[1]
		t.ids[p[1]] = FieldID(id)
		t.lists[id] = p[3] == "list"
		for k, n := range kindNames {
			if n == p[2] {
				t.kinds[id] = Kind(k)
			}
		}
	}
	return t
})

// dynamicTable is the process's registry of names beyond fields.lock. Readers take the published slice without a lock.
type dynamicTable struct {
	mu    sync.Mutex
	ids   sync.Map // string -> FieldID
	names atomic.Pointer[[]string]
}

var dynamic dynamicTable

// Lookup returns the id of a name: static, or registered before. It takes no lock.
func Lookup(name string) (FieldID, bool) {
	if id, ok := static().ids[name]; ok {
		return id, true
	}
	if id, ok := dynamic.ids.Load(name); ok {
		return id.(FieldID), true
	}
	return 0, false
}

// Intern is Lookup, and registers a name that is new. It returns false when the name is empty, longer than 256 bytes,
// or when the process has registered 8,192 names already: such a field belongs in Builder.Extra. Safe for concurrent
// use.
func Intern(name string) (FieldID, bool) {
	if id, ok := Lookup(name); ok {
		return id, true
	}
	if name == "" || len(name) > maxName {
		return 0, false
	}
	dynamic.mu.Lock()
	defer dynamic.mu.Unlock()
	if id, ok := dynamic.ids.Load(name); ok {
		return id.(FieldID), true
	}
	var names []string
	if p := dynamic.names.Load(); p != nil {
		names = *p
	}
	if len(names) >= maxDynamic {
		return 0, false
	}
	name = strings.Clone(name)
	names = append(names, name)
	dynamic.names.Store(&names)
	id := FieldID(firstDynamic + len(names) - 1)
	dynamic.ids.Store(name, id)
	return id, true
}

// Name returns the field's name, or "" for an id that was never given out.
func (id FieldID) Name() string {
	if id < firstDynamic {
		if int(id) > staticFields {
			return ""
		}
		return static().names[id]
	}
	p := dynamic.names.Load()
	if p == nil || int(id-firstDynamic) >= len(*p) {
		return ""
	}
	return (*p)[id-firstDynamic]
}

// Type returns the kind that fields.lock gives the field; None for a dynamic one, which takes any.
func (id FieldID) Type() Kind {
	if int(id) > staticFields {
		return None
	}
	return static().kinds[id]
}

// IsList reports whether ECS wants the field as an array even of one value.
func (id FieldID) IsList() bool { return int(id) <= staticFields && static().lists[id] }

// StaticFields yields every static id in order.
func StaticFields(yield func(FieldID) bool) {
	for id := FieldID(1); id <= staticFields; id++ {
		if !yield(id) {
			return
		}
	}
}
