// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package asset knows which information system and which security level an address belongs to, and what law and policy
// ask for that system. An Inventory is loaded whole, never changes, and is replaced whole: every event says by which
// version it was enriched. Law is data (profiles/*.yml) and no clause is ever cited for a severity; what the province
// decided for itself is its Policy. Nothing a sender claims about its own system or level is believed.
package asset

// retentionClasses are the days for which stores keep events, one storage each.
var retentionClasses = [...]int{30, 90, 180, 365, 730}
