package rollout

import (
	"fmt"
	"strings"
)

// Changes is what is another than it was, a line each: what it is of, and how
// it is now. Logs, and how long things take, change nothing. Everything is new
// if there was nothing.
func Changes(before, after Report) []string {
	had := map[string]string{}
	for _, line := range lines(before) {
		had[line[0]] = line[1]
	}
	var changes []string
	for _, line := range lines(after) {
		if old, known := had[line[0]]; !known || old != line[1] {
			changes = append(changes, line[0]+": "+line[1])
		}
	}
	return changes
}

// lines is what a report says, each line with what it is of.
func lines(report Report) [][2]string {
	var all [][2]string
	for _, e := range report.Environments {
		all = append(all, [2]string{e.Name + ": " + e.Source.Name, e.Source.line()}, [2]string{e.Name + ": " + e.Prereqs.Name, e.Prereqs.line()})
		for _, release := range e.Releases() {
			of := e.Name + ": " + release.Name
			all = append(all, [2]string{of, release.line()})
			for _, job := range release.Jobs {
				if release.State != Ready {
					all = append(all, [2]string{of + ": Job " + job.Name, job.line()})
				}
			}
			if release.NotReadyCount > 0 && release.State != Ready {
				all = append(all, [2]string{of + ": not ready", release.unready()})
			}
		}
	}
	return all
}

func (p Part) line() string {
	text := p.State.text()
	if len(p.WaitsFor) > 0 {
		return text + ": waits for " + strings.Join(p.WaitsFor, ", ")
	}
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	return text
}

// line is a release with its version.
func (r Release) line() string {
	text := r.Part.line()
	if r.Installed != "" && r.Installed != r.Wanted {
		return fmt.Sprintf("%s (%s -> %s)", text, r.Installed, r.Wanted)
	}
	return fmt.Sprintf("%s (%s)", text, r.Wanted)
}

func (j Job) line() string {
	text := string(j.Phase)
	if j.Failures > 0 {
		text += fmt.Sprintf(", its pods failed %s", times(j.Failures))
	}
	if j.Reason != "" {
		text += ": " + j.Reason
	}
	return text
}

// unready is the workloads that are not ready, on one line.
func (r Release) unready() string {
	var names []string
	for _, workload := range r.NotReady {
		names = append(names, workload.Kind+" "+workload.Name)
	}
	if more := r.NotReadyCount - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
