// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package decoders

// bareLine tells why s is a line of a web server's log file with no syslog header in front, "" when it is not: such a
// line begins with what a syslog parser would take for a header.
func bareLine(s string) string { return "" }
