// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

// Package netflow collects NetFlow v5, v9 and IPFIX over UDP and writes flows as ECS events.
//
// Decoding is package flow's; this package owns the socket, the numbering for delivery (source listener/<name>, one
// unit a datagram) and the ECS names. A datagram cannot be asked for again: whatever is lost before the Writer has it
// is measured (the kernel's drop counter, the exporters' sequence numbers) and reported as an event of its own. What a
// killed process had read is decoded again by the next, from the same state of the decoder: whatever the decoder keeps
// must be in flow.AppendState and counted by Changes, or flows come twice.
package netflow
