package proposal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// verbs say what a cluster does with objects, in the order in which people want to read it.
var verbs = []struct {
	action     diff.Action
	verb, noun string
	named      bool // objects are named, not only counted
}{
	{diff.Refuse, "refuses", "change", true},
	{diff.Delete, "deletes", "object", true},
	{diff.Recreate, "deletes and recreates", "object", true},
	{diff.Restart, "restarts", "workload", true},
	{diff.Run, "runs", "hook", true},
	{diff.Defer, "defers", "hook", true},
	{diff.Scale, "scales", "workload", true},
	{diff.Create, "creates", "object", false},
	{diff.Update, "updates", "object", false},
	{diff.Keep, "no longer manages", "object", false},
}

// counted says how many objects the cluster does what with.
func counted(r diff.Result) string {
	var parts []string
	deletes := false
	for _, v := range verbs {
		if n := len(with(r, v.action)); n > 0 {
			deletes = deletes || v.action == diff.Delete || v.action == diff.Recreate
			parts = append(parts, v.verb+" "+text.Count(n, v.noun))
		}
	}
	if !deletes {
		parts = append(parts, "deletes nothing")
	}
	return strings.Join(parts, ", ")
}

// named says which objects the cluster does what with.
func named(r diff.Result) string {
	var parts []string
	for _, v := range verbs {
		changes := with(r, v.action)
		switch {
		case len(changes) == 0:
		case v.named:
			parts = append(parts, v.verb+" "+names(changes))
		default:
			parts = append(parts, v.verb+" "+text.Count(len(changes), v.noun))
		}
	}
	return strings.Join(parts, "; ")
}

// with gives the changes that have an effect.
func with(r diff.Result, action diff.Action) []diff.Change {
	return slices.DeleteFunc(slices.Clone(r.Changes), func(c diff.Change) bool { return c.Effect == nil || c.Effect.Action != action })
}

// names names objects, the first of many.
func names(changes []diff.Change) string {
	const most = 3
	var all []string
	for _, c := range changes[:min(most, len(changes))] {
		all = append(all, code(c.Object.String()))
	}
	if n := len(changes) - len(all); n > 0 {
		all = append(all, fmt.Sprintf("%d more", n))
	}
	return strings.Join(all, ", ")
}

// migrates reports whether hooks run.
func migrates(r diff.Result) bool { return len(with(r, diff.Run)) > 0 }

// rollout says what each wave does, and when the merge may be.
func (p Patch) rollout(most int) string {
	list := rows{head: "\n### Rollout\n\n", of: "waves"}
	same := 0
	byWave, rest := p.split()
	for i, wave := range p.Waves {
		changes := byWave[i]
		if len(changes.Changes) == 0 {
			same++
			continue
		}
		line := fmt.Sprintf("- Wave %d, %s: %s", i+1, wave.keys(), named(changes))
		if limit := wave.migrations(); limit != "" && migrates(changes) {
			line += "; migrations may take " + code(limit)
		}
		list.lines = append(list.lines, line)
	}
	if same > 0 && len(p.Changes.Changes) > 0 {
		list.lines = append(list.lines, fmt.Sprintf("- %s without changes%s", text.Count(same, "wave"), p.doubt()))
	}
	if len(rest.Changes) > 0 {
		list.lines = append(list.lines, "- Releases that go away: "+named(rest))
	}
	if p.Gate != "" && len(p.Waves) > 1 && list.lines != nil {
		list.lines = append(list.lines, "- "+text.MarkdownText(text.FirstLine(p.Gate)))
	}
	merging := rows{"\n### Merging\n\n", sentences(p.Merging), "rules"}.write(most * 4 / 10)
	return list.write(most-len(merging)) + merging
}

// doubt ends a sentence that is true as far as everything could be looked at.
func (p Patch) doubt() string {
	if len(p.Unseen) > 0 {
		return ", as far as they could be looked at"
	}
	return ""
}

// migrations gives how long the migrations of a wave may take.
func (w Wave) migrations() string {
	for _, r := range w.Releases {
		if r.Migrations != "" {
			return r.Migrations
		}
	}
	return ""
}

// split gives the changes of each wave, and those of releases that are in none.
func (p Patch) split() (byWave []diff.Result, rest diff.Result) {
	byWave = make([]diff.Result, len(p.Waves))
	of := map[string]*diff.Result{}
	for i, wave := range p.Waves {
		for _, release := range wave.Releases {
			of[release.Within] = &byWave[i]
		}
	}
	for _, c := range p.Changes.Changes {
		result := of[c.Within]
		if result == nil {
			result = &rest
		}
		result.Changes = append(result.Changes, c)
	}
	return byWave, rest
}

// graph draws the waves, folded.
func (p Patch) graph() string {
	if p.Graph == "" || p.Lacks.Mermaid || len(p.Waves) < 2 || len(p.Changes.Changes) == 0 {
		return ""
	}
	return "\n" + p.Lacks.fold("The waves, drawn", text.MarkdownFence("mermaid", p.Graph))
}

// writeChanges writes what changes in the cluster, wave by wave, and reports whether that
// is all of it.
func (p Patch) writeChanges(d *document) (isWhole bool) {
	type part struct {
		title   string
		changes diff.Result
	}
	var parts []part
	byWave, rest := p.split()
	for i, changes := range byWave {
		parts = append(parts, part{fmt.Sprintf("Wave %d", i+1), changes})
	}
	parts = append(parts, part{"Releases that go away", rest})
	parts = slices.DeleteFunc(parts, func(one part) bool { return len(one.changes.Changes) == 0 })
	if len(parts) == 0 {
		return true
	}
	if !d.add("\n### Changes in the cluster\n\n" + text.MarkdownText(p.Changes.Summary()) + ". Values of Secrets are not shown.\n") {
		return false
	}
	isWhole = true
	for i, one := range parts {
		const around = 200 // of what folds, and its title
		content, all := one.changes.MarkdownPart(d.left()/(len(parts)-i)-around, !p.Lacks.Folding)
		if content == "" {
			return false
		}
		isWhole = d.add("\n"+p.Lacks.fold(one.title+": "+counted(one.changes), strings.TrimLeft(content, "\n"))) && all && isWhole
	}
	return isWhole
}

// fold folds Markdown under a title of ours, where the forge folds.
func (l Lacks) fold(title, content string) string {
	if l.Folding {
		return "#### " + title + "\n\n" + content
	}
	return "<details><summary>" + title + "</summary>\n\n" + content + "\n</details>\n"
}
