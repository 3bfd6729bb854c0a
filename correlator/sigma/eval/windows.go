// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package eval

// windowsEvent returns the flat names of a Windows event document, nil when it is none. EventData holds the data
// itself; in UserData they are one element deeper.
func windowsEvent(doc map[string]any) map[string]any {
	ev, ok := doc["Event"].(map[string]any)
	if !ok {
		ev = doc // some tools leave the outer element out
	}
	system, ok := ev["System"].(map[string]any)
	if !ok || system["EventID"] == nil {
		return nil
	}
	flat := map[string]any{}
	for k, v := range system {
		switch k {
		case "Provider":
			setText(flat, "Provider_Name", attribute(v, "Name"))
			setText(flat, "Provider_Guid", attribute(v, "Guid"))
		case "TimeCreated":
			setText(flat, "@timestamp", attribute(v, "SystemTime"))
		case "Execution":
			setText(flat, "Execution_ProcessID", attribute(v, "ProcessID"))
			setText(flat, "Execution_ThreadID", attribute(v, "ThreadID"))
		case "Security":
			setText(flat, "Security_UserID", attribute(v, "UserID"))
		default:
			setText(flat, k, textOf(v))
		}
	}
	if data, ok := ev["EventData"].(map[string]any); ok {
		windowsData(flat, data)
	}
	if user, ok := ev["UserData"].(map[string]any); ok {
		for k, v := range user {
			if inner, ok := v.(map[string]any); ok && k != "#attributes" {
				windowsData(flat, inner)
			} else {
				setText(flat, k, textOf(v))
			}
		}
	}
	return flat
}

// windowsData adds the data of an event; a datum may be {"#attributes": {...}, "#text": ...}.
func windowsData(flat, data map[string]any) {
	for k, v := range data {
		if k == "#attributes" {
			continue
		}
		if list, ok := v.([]any); ok {
			var texts []any
			for _, x := range list {
				if name, _ := attribute(x, "Name").(string); name != "" {
					setText(flat, name, textOf(x))
				} else if t := textOf(x); t != nil {
					texts = append(texts, t)
				}
			}
			if len(texts) > 0 {
				flat[k] = texts
			}
			continue
		}
		setText(flat, k, textOf(v))
	}
}

// setText sets a name to a value unless there is none; what the system part said is not replaced.
func setText(flat map[string]any, name string, v any) {
	if _, taken := flat[name]; v != nil && !taken {
		flat[name] = v
	}
}

// attribute returns an XML attribute.
func attribute(v any, name string) any {
	m, _ := v.(map[string]any)
	if a, ok := m["#attributes"].(map[string]any); ok {
		return a[name]
	}
	if a, ok := m["@"+name]; ok {
		return a
	}
	return m[name]
}

// textOf returns the text of an element, its scalar itself, or nil.
func textOf(v any) any {
	if m, ok := v.(map[string]any); ok {
		if t, ok := m["#text"]; ok {
			return t
		}
		if _, ok := m["#attributes"]; ok && len(m) == 1 {
			return nil
		}
		return m
	}
	return v
}
