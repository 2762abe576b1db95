package pullrequest

import (
	"net/url"
	"slices"
	"strings"
)

// marker holds the state that the end of a body has, and nothing else has.
type marker struct {
	plan, target, fingerprint string
	commit                    string   // ours, that the branch has
	labels                    []string // ours, in their order
	frozen                    string   // the commit of others that was commented on; empty if there is none
	closing                   bool     // we are about to close it, or closed it
	merges                    bool     // the forge was asked to merge it by itself
}

const (
	markerStart = "<!-- pm-gitops:plan="
	markerEnd   = " -->"
	// markerGrows bounds what is added to a marker after its body was made: frozen with a
	// hash of SHA-256, closing and merges.
	markerGrows = 100
)

// String gives the marker as it stands in a body.
func (m marker) String() string {
	var labels []string
	for _, label := range m.labels {
		labels = append(labels, escape(label))
	}
	text := markerStart + escape(m.plan) + " target=" + escape(m.target) + " fingerprint=" + escape(m.fingerprint) + " commit=" + escape(m.commit) + " labels=" + strings.Join(labels, ",")
	if m.frozen != "" {
		text += " frozen=" + escape(m.frozen)
	}
	if m.closing {
		text += " closing=yes"
	}
	if m.merges {
		text += " merges=yes"
	}
	return text + markerEnd
}

// escape writes a value in characters that end neither a value nor a comment.
func escape(value string) string {
	return strings.NewReplacer("%3A", ":", "%3D", "=", "%2F", "/", "%40", "@").Replace(url.QueryEscape(value))
}

// parseMarker reads the last marker of a body, and gives the place where it begins. What is
// not exactly as [marker.String] writes it is no marker.
func parseMarker(body string) (m marker, at int, ok bool) {
	at = strings.LastIndex(body, markerStart)
	if at < 0 {
		return marker{}, 0, false
	}
	length := strings.Index(body[at:], markerEnd)
	if length < 0 {
		return marker{}, 0, false
	}
	text := body[at : at+length+len(markerEnd)]
	values := map[string]string{}
	for field := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(text, "<!-- pm-gitops:"), markerEnd), " ") {
		key, value, _ := strings.Cut(field, "=")
		values[key] = value
	}
	get := func(key string) string { value, _ := url.QueryUnescape(values[key]); return value }
	m = marker{
		plan: get("plan"), target: get("target"), fingerprint: get("fingerprint"), commit: get("commit"), frozen: get("frozen"),
		closing: values["closing"] != "", merges: values["merges"] != "",
	}
	for label := range strings.SplitSeq(values["labels"], ",") {
		if name, err := url.QueryUnescape(label); err == nil && name != "" {
			m.labels = append(m.labels, name)
		}
	}
	if m.String() != text {
		return marker{}, 0, false
	}
	return m, at, true
}

// mark gives a body with another marker in place of its last one, or at its end.
func mark(body string, m marker) string {
	old, at, ok := parseMarker(body)
	if !ok {
		return body + "\n\n" + m.String()
	}
	return body[:at] + m.String() + body[at+len(old.String()):]
}

// says reports whether it is the marker of a proposal, as far as content goes.
func (m marker) says(p Proposal) bool {
	return m.plan == p.Plan && m.target == p.Target && m.fingerprint == p.Fingerprint
}

// rebaseBox begins the text of the checkbox. Forges put an x between the brackets when a
// person ticks it.
const rebaseBox = "<!-- pm-gitops:rebase -->"

// ticked reports whether the checkbox of a body is ticked.
func ticked(body string) bool {
	at := strings.LastIndex(body, rebaseBox)
	if at < 0 {
		return false
	}
	line := body[strings.LastIndexByte(body[:at], '\n')+1 : at]
	return slices.Contains([]string{"- [x] ", "- [X] "}, line)
}
