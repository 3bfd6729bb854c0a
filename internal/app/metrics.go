// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/haidang-soc/haidang/collectors/netflow"
	"github.com/haidang-soc/haidang/collectors/syslog"
)

// counter is one number of a listener: a metric's name after haidang_listener_, a reason where it has one.
type counter struct {
	name, reason string
	value        uint64
}

func syslogCounters(s syslog.Stats) []counter {
	list := []counter{{"received_total", "", s.Received}, {"accepted_total", "", s.Accepted},
		{"received_bytes_total", "", s.Bytes}, {"truncated_total", "", s.Truncated},
		{"adopted_total", "", s.Adopted}, {"unprotected_total", "", s.Unprotected},
		{"write_errors_total", "", s.WriteErrors}, {"connections", "", uint64(max(s.Connections, 0))},
		{"connections_refused_total", "limit", s.Refused - min(s.Handshakes, s.Refused)},
		{"connections_refused_total", "handshake", s.Handshakes}, {"connections_evicted_total", "", s.Evicted},
		{"connections_reset_total", "", s.Resets}, {"framing_errors_total", "", s.Framing}}
	for reason, n := range s.Dropped {
		list = append(list, counter{"dropped_total", reason, n})
	}
	return list
}

func netflowCounters(s netflow.Stats) []counter {
	list := []counter{{"received_total", "", s.Received}, {"accepted_total", "", s.Accepted},
		{"received_bytes_total", "", s.Bytes}, {"flows_total", "", s.Flows}, {"templates_total", "", s.Templates},
		{"options_total", "", s.Options}, {"lost_total", "", s.Lost}, {"late_total", "", s.Late},
		{"restarts_total", "", s.Restarts}, {"write_errors_total", "", s.WriteErrors},
		{"adopted_total", "", s.Adopted}, {"unprotected_total", "", s.Unprotected},
		{"templates_unsaved_total", "", s.Unsaved}, {"waiting", "", s.Waiting}}
	for reason, n := range s.Undecoded {
		list = append(list, counter{"undecoded_total", reason, n})
	}
	for reason, n := range s.Dropped {
		list = append(list, counter{"dropped_total", reason, n})
	}
	return list
}

// listenerHelp says what a number of a listener is.
func listenerHelp(name string) string {
	switch name {
	case "received_total":
		return "Messages or datagrams read, whatever became of them."
	case "accepted_total":
		return "Messages or datagrams that are safe in the spool."
	case "received_bytes_total":
		return "Bytes read, without framing."
	case "truncated_total":
		return "Messages cut at the longest length or by the end of their connection."
	case "connections":
		return "Connections open now."
	case "connections_refused_total":
		return "Connections refused: too many, or no good TLS handshake."
	case "connections_evicted_total":
		return "Idle connections closed to make room."
	case "connections_reset_total":
		return "Connections that broke: what was in the kernel's buffers is lost."
	case "framing_errors_total":
		return "Streams whose octet counts went wrong, and were read on line by line."
	case "adopted_total":
		return "Messages or datagrams that an earlier process read and was killed with."
	case "unprotected_total":
		return "Messages or datagrams that a kill would have lost until they were safe."
	case "templates_unsaved_total":
		return "Times that the templates could not be written to the disk; it is tried again."
	case "write_errors_total":
		return "Batches that could not be written to the spool; they are tried again."
	case "dropped_total":
		return "Messages or datagrams lost, by reason."
	case "undecoded_total":
		return "Data that could not be decoded, by reason."
	case "flows_total":
		return "Flow records decoded."
	case "templates_total":
		return "Templates learned."
	case "options_total":
		return "Options records decoded."
	case "lost_total":
		return "Lost before they came, by the exporters' sequence numbers, in their units."
	case "late_total":
		return "Datagrams out of order, or twice."
	case "restarts_total":
		return "Restarts of exporters."
	case "waiting":
		return "Data sets that wait for their template now."
	}
	return "Of a listener, by name."
}

// metrics serves /metrics: every number is read when it is asked for.
func (a *App) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&exporter{a})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// exporter is a prometheus.Collector over the stages' own counts.
type exporter struct{ a *App }

// Describe sends nothing: which metrics there are depends on the configuration.
func (e *exporter) Describe(chan<- *prometheus.Desc) {}

// Collect reads every stage once.
func (e *exporter) Collect(ch chan<- prometheus.Metric) {
	a := e.a
	send := func(kind prometheus.ValueType, name, help string, v float64, labels ...string) {
		var names, values []string
		for i := 0; i+1 < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("haidang_"+name, help, names, nil), kind, v, values...)
	}
	count := func(name, help string, v uint64, labels ...string) {
		send(prometheus.CounterValue, name, help, float64(v), labels...)
	}
	gauge := func(name, help string, v float64, labels ...string) {
		send(prometheus.GaugeValue, name, help, v, labels...)
	}
	for _, l := range a.listeners {
		for _, c := range l.stats() {
			labels := []string{"listener", l.name, "kind", l.kind}
			if c.reason != "" {
				labels = append(labels, "reason", c.reason)
			}
			kind := prometheus.GaugeValue
			if strings.HasSuffix(c.name, "_total") {
				kind = prometheus.CounterValue
			}
			send(kind, "listener_"+c.name, listenerHelp(c.name), float64(c.value), labels...)
		}
	}
	a.ledgerMetrics(count, gauge)
	d := a.decode.Stats()
	count("decoded_total", "Raw events decoded.", d.Raw)
	count("undecoded_total", "Raw events that no decoder knew, kept as messages.", d.Undecoded)
	count("pipeline_errors_total", "Raw events whose header was unusable, or whose decoder panicked.", d.Refused+d.Panics)
	z := a.decode.Zones.Stats()
	count("zone_guesses_total", "Decisions that a sender is in another time zone, or in the configured one again.",
		z.Guessed)
	count("zone_unwatched_total", "Messages of senders that there was no room to watch.", z.Over)
	gauge("zone_origins", "Senders whose times name no zone.", float64(z.Origins))
	gauge("zone_origins_elsewhere", "Senders found to be in another time zone than configured.", float64(z.Elsewhere))
	if in := a.ingest.Load(); in != nil {
		for reason, n := range in.Refused {
			count("spool_requests_refused_total", "Requests to /v1/spool that were refused.", n, "reason", reason)
		}
	}
	if n := a.webRefused.Load(); n != nil {
		count("http_connections_refused_total", "Connections closed at once because too many were open.", n.Load())
	}
	s := a.spool.Stats()
	count("spool_records_total", "Records stored.", s.Records)
	count("spool_events_total", "Events stored.", s.Events)
	count("spool_bytes_total", "Bytes of records stored.", s.Bytes)
	count("spool_holes_total", "Batches refused because units before them are missing.", s.Holes)
	count("spool_full_total", "Writes answered with full.", s.Refused)
	count("spool_reopened_total", "Times the embedded server was reopened.", s.Reopened)
	gauge("spool_sequence", "Sequence of the last record.", float64(s.Last))
	gauge("spool_clock_skew_seconds", "Stream time minus wall clock.", s.Skew.Seconds())
	if a.store != nil {
		n := a.store.Counts()
		count("store_events_total", "Events indexed.", n.Stored)
		count("store_skipped_total", "Events that were there already after an unclean end.", n.Skipped)
		count("store_expired_total", "Events older than their retention, not indexed.", n.Expired)
		count("store_clamped_total", "Events whose time was clamped.", n.Clamped)
		gauge("store_sequence", "Sequence of the last record that is safe in the index.", float64(a.indexed.Load()))
	}
	a.elasticMetrics(count, gauge)
	if c := a.correlated.Load(); c != nil {
		count("correlator_events_total", "Events correlated.", c.stats.Events)
		count("correlator_matches_total", "Rule matches.", c.stats.Matches)
		count("correlator_emissions_total", "Alert updates emitted.", c.stats.Emissions)
		count("correlator_late_total", "Matches too late for any window.", c.stats.Late)
		count("correlator_dropped_total", "Groups and window entries dropped at a limit.",
			c.stats.GroupsDropped+c.stats.EntriesDropped)
		gauge("correlator_sequence", "Sequence of the last record correlated.", float64(c.seq))
		gauge("correlator_groups", "Groups that a correlation keeps.", float64(c.stats.Groups))
	}
	head, _ := a.alerts.Head()
	gauge("alert_log_entries", "Entries of the alert log.", float64(head))
	for _, k := range a.sinks.Status() {
		gauge("sink_waiting", "Deliveries that wait.", float64(k.Waiting), "sink", k.Name)
		gauge("sink_dead", "Deliveries that were given up and kept.", float64(k.Dead), "sink", k.Name)
	}
	gauge("uptime_seconds", "Since the process opened its data.", time.Since(a.started).Seconds())
}
