package rollout

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Style is what a piece of text is, for colours.
type Style int

// The styles of text.
const (
	Title Style = iota
	Good
	Busy
	Bad
	Faint
)

// Paint colours a piece of text; nil leaves it as it is.
type Paint func(Style, string) string

// styles is the style of each state.
var styles = map[State]Style{Ready: Good, Failed: Bad, Retrying: Bad}

// words is the states as a person reads them.
var words = map[State]string{NotYet: "not yet", Retrying: "failed, is tried again"}

func (s State) text() string { return or(words[s], string(s)) }

func (s State) style() Style {
	if style, ok := styles[s]; ok {
		return style
	}
	return Busy
}

// Text is a report for a person, as of a time: a line a release in the order
// of the waves, what holds it up below it, and what to do next.
func Text(report Report, now time.Time, paint Paint) string {
	if paint == nil {
		paint = func(_ Style, text string) string { return text }
	}
	w := writer{now: now, paint: paint}
	for i, environment := range report.Environments {
		if i > 0 {
			w.WriteString("\n")
		}
		w.environment(environment)
	}
	return w.String()
}

type writer struct {
	strings.Builder
	now   time.Time
	paint Paint
	width struct{ name, state int }
}

func (w *writer) environment(e Environment) {
	fmt.Fprintf(w, "%s (%s): %s\n", w.paint(Title, e.Name), e.Title, w.paint(e.State.style(), e.State.text()))
	parts := []Part{e.Source, e.Prereqs}
	for _, release := range e.Releases() {
		parts = append(parts, release.Part)
	}
	w.width.name, w.width.state = 0, 0
	for i, part := range parts {
		if i > 0 || part.State != Ready {
			w.width.name = max(w.width.name, utf8.RuneCountInString(part.Name))
			w.width.state = max(w.width.state, utf8.RuneCountInString(w.state(part)))
		}
	}
	if e.Source.State != Ready { // when it is, nobody asks
		w.part("", e.Source, "")
	}
	w.part("", e.Prereqs, "")
	for _, wave := range e.Waves {
		for i := range wave.Releases {
			w.release(wave.Wave, wave.Releases[i])
		}
	}
	if e.Next != "" {
		fmt.Fprintf(w, "next: %s\n", e.Next)
	}
	for _, note := range e.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
}

// state is the state of a part and since when.
func (w *writer) state(p Part) string {
	if p.State == Ready || p.Since == nil {
		return p.State.text()
	}
	return p.State.text() + " " + elapsed(w.now.Sub(*p.Since))
}

// part is the line of a part, and its reason.
func (w *writer) part(wave string, p Part, version string) {
	state := w.state(p)
	line := fmt.Sprintf("  %2s %s%s  %s", wave, p.Name, blank(w.width.name-utf8.RuneCountInString(p.Name)), w.paint(p.State.style(), state))
	if version != "" {
		line += blank(w.width.state-utf8.RuneCountInString(state)) + "  " + version
	}
	w.WriteString(line + "\n")
	if len(p.WaitsFor) > 0 {
		w.detail("waits for " + strings.Join(p.WaitsFor, ", "))
	} else if p.Reason != "" {
		w.detail(p.Reason)
	}
}

func (w *writer) release(wave int, r Release) {
	version := r.Wanted
	if r.Installed != "" && r.Installed != r.Wanted {
		version = r.Installed + " -> " + r.Wanted
	}
	w.part(fmt.Sprint(wave), r.Part, version)
	for _, job := range r.Jobs {
		if r.State != Ready && (job.Phase != Succeeded || r.State == Progressing) {
			w.job(job)
		}
	}
	for _, workload := range r.NotReady {
		pod := ""
		if workload.Pod != "" {
			pod = " (pod " + workload.Pod + ")"
		}
		w.detail(fmt.Sprintf("%s %s%s: %s", workload.Kind, workload.Name, pod, workload.Reason))
	}
	if more := r.NotReadyCount - len(r.NotReady); more > 0 {
		w.detail(fmt.Sprintf("and %d more that are not ready", more))
	}
}

func (w *writer) job(j Job) {
	line := "Job " + j.Name
	if len(j.Hooks) > 0 {
		line += " (" + strings.Join(j.Hooks, ", ") + ")"
	}
	line += ": " + string(j.Phase)
	if j.Since != nil {
		line += " " + elapsed(w.now.Sub(*j.Since))
		if j.Phase == Succeeded || j.Phase == Broken {
			line += " ago"
		}
	}
	if j.Failures > 0 {
		line += fmt.Sprintf(", its pods failed %s", times(j.Failures))
	}
	if j.Reason != "" {
		line += ": " + j.Reason
	}
	w.detail(line)
	for _, text := range j.Log {
		fmt.Fprintf(w, "       %s\n", w.paint(Faint, "| "+text))
	}
}

// detail is a line below a part.
func (w *writer) detail(text string) { fmt.Fprintf(w, "     %s\n", text) }

func blank(n int) string { return strings.Repeat(" ", max(n, 0)) }

// elapsed is a time that passed, as much of it as a person wants to know.
func elapsed(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd", int(d.Hours())/24)
	}
}

// LogLines is the lines of a log as they can be shown: the last n of them,
// each cut to length, without what could steer a terminal.
func LogLines(log string, n int) []string {
	var lines []string
	for line := range strings.Lines(log) {
		// What a carriage return overwrites nobody is meant to read.
		line = strings.TrimRight(line, "\r\n")
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		lines = append(lines, say(line))
	}
	return lines[max(len(lines)-n, 0):]
}
