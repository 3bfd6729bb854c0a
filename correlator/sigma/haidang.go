// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package sigma

// Haidang is the extension block `haidang:` of a rule or a correlation. Unknown keys in it are refused.
//
//	haidang:
//	    by_level: {3: {gte: 5}, 4: {gte: 3}}   # correlations only: threshold by level of the information system
//	    group_by: [host.name, user.name]       # detections only: one alert per value of these
//	    context: [success_after_failures]      # what the policy's context rows look at
//	    steps: [..., ...]                      # at most five steps for the analyst, in Vietnamese
//	    count: matches                         # correlations only: an event that two rules match counts twice
//	    null_group: true                       # correlations only: events without a group-by field are one group
//	    allow_same_event: true                 # temporal_ordered only: one event may satisfy several rules
type Haidang struct {
	// ByLevel is sorted by level. Use Correlation.ThresholdAt.
	ByLevel []LevelThreshold
	// GroupBy names the fields by which matches of a detection fold into one alert; nil is the engine's default.
	GroupBy []string
	// Context names conditions that raise severity by one step where the policy has a row for them.
	Context []string
	// Steps is what the analyst does next, at most MaxSteps.
	Steps []string
	// CountMatches counts matches instead of distinct events.
	CountMatches bool
	// NullGroup keeps events that lack a group-by field, in one group with an empty value; else they are skipped.
	NullGroup bool
	// AllowSameEvent lets one event satisfy several rules of a temporal_ordered correlation.
	AllowSameEvent bool
}

// MaxSteps is the most steps a rule may give an analyst.
const MaxSteps = 5

// LevelThreshold is the threshold that holds from a level of information system upwards, to the next one listed.
type LevelThreshold struct {
	Level     int // 1 to 5
	Threshold Threshold
}
