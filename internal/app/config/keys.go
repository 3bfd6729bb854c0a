// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"

	"github.com/haidang-soc/haidang/internal/spelling"
)

// keys are all keys of haidang.yml, for the hint of the nearest one. A test holds them equal to the struct's.
const keys = `address api api_key api_key_file builtin_rules ca certificate channel client_auth client_ca collectors
data dir disclose elasticsearch encoding http idle inventory key listen log max_bytes max_connections max_message
memory min_level min_severity name netflow origins outbound parser password password_file policy protocol proxy
public_url relays reserve rules secret secret_file sinks site slack spool state_secrets store sync syslog systems
time_zone token token_file url urls username webhook`

// nearest returns the known key that takes the fewest edits, when that is few enough to be a slip.
func nearest(key string) string {
	best, edits := "", 3
	for _, k := range strings.Fields(keys) {
		if d := spelling.Distance(key, k); d < edits && d < len(k) {
			best, edits = k, d
		}
	}
	return best
}
