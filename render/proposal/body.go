package proposal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/text"
)

const (
	// essentials is the limit within which every body has its verdict, versions, actions,
	// waves and rollback: that of the forge which takes least, Azure DevOps.
	essentials = 4_000
	// pointing is kept for the sentence that says where the rest is.
	pointing = 400
)

// Body gives the body in Markdown, in at most limit characters: verdict, versions,
// actions, rollout, changes in the cluster, changed defaults, rollback. What does not fit is counted, and the body says where it is whole. The first
// four and the rollback are within 4,000 characters.
func (p Patch) Body(limit int) string {
	d := document{limit: limit}
	rollback := p.rollback()
	shared := min(limit, essentials) - len(rollback) - pointing
	used := 0
	for i, section := range []func(int) string{p.verdict, p.versions, p.actions, p.rollout} {
		until := shared * []int{40, 65, 82, 100}[i] / 100
		part := section(until - used)
		used += len(part)
		d.add(part)
	}
	d.limit -= len(rollback) + pointing
	if drawing := p.graph(); len(drawing) < d.left()/4 {
		d.add(drawing)
	}
	isWhole := p.writeChanges(&d)
	d.add(p.defaults(d.left()))
	d.limit += len(rollback) + pointing
	d.add(rollback)
	if !isWhole {
		d.add(pointer(p.DiffCommand))
	}
	return strings.TrimLeft(d.String(), "\n")
}

// pointer says where that is which did not fit.
func pointer(command string) string {
	sentence := "\nThis text is cut at the forge's limit: the files of this pull request have all of it"
	if command := text.MarkdownCode(command); command != "" && len(command) < 200 {
		sentence += ", and in a checkout of its branch this prints what changes in the cluster: " + command
	}
	return sentence + ".\n"
}

// verdict says what the pull request is, what happens once it is merged, and why it needs
// attention.
func (p Patch) verdict(most int) string {
	risk, concerns := p.Risk()
	blockers := p.Blockers()
	var b strings.Builder
	fmt.Fprintf(&b, "**%s.** %s\n", p.judge(risk, len(blockers) > 0), p.summary())
	if p.Lacks.Labels {
		b.WriteString("\nLabels: " + text.MarkdownCode(strings.Join(p.Labels(), " ")) + "\n")
	}
	command := ""
	if len(blockers) > 0 && p.MirrorCommand != "" {
		command = "\nTo copy to the mirror what it lacks:\n\n" + text.MarkdownFence("sh", p.MirrorCommand)
		if len(command) > 400 {
			command = ""
		}
	}
	room := most - b.Len() - len(command)
	first := rows{"\nDo not merge this yet:\n\n", sentences(blockers), "reasons"}.write(room * 6 / 10)
	b.WriteString(first + command)
	b.WriteString(rows{"\nTo look at:\n\n", sentences(concerns), "reasons"}.write(room - len(first)))
	return b.String()
}

// judge gives the verdict in a word or two.
func (p Patch) judge(risk Risk, isBlocked bool) string {
	switch {
	case isBlocked && risk == Breaking:
		return "Blocked and breaking"
	case isBlocked:
		return "Blocked"
	case risk == Breaking:
		return "Breaking"
	case len(p.todo()) > 0:
		return "Needs a change"
	case risk == Caution:
		return "Needs a look"
	}
	return "Routine"
}

// summary says on a line what an environment gets, and what the cluster does.
func (p Patch) summary() string {
	var parts []string
	for _, v := range p.Versions[:min(4, len(p.Versions))] {
		parts = append(parts, text.MarkdownText(short(v.What))+" "+code(v.To))
	}
	sentence := code(p.Environment) + " gets " + strings.Join(parts, ", ") + "."
	switch effects := counted(p.Changes); {
	case len(p.Changes.Changes) == 0 && len(p.Unseen) > 0:
		return sentence + " What changes in the cluster is **unknown**."
	case len(p.Changes.Changes) == 0:
		return sentence + " Nothing changes in the cluster."
	case len(p.Unseen) > 0:
		return sentence + " Once this is merged, the cluster " + effects + ", **as far as it could be looked at**."
	default:
		return sentence + " Once this is merged, the cluster " + effects + "."
	}
}

// sentences writes items of a list.
func sentences(all []string) []string {
	var items []string
	for _, one := range all {
		items = append(items, "- "+text.MarkdownText(text.FirstLine(one)))
	}
	return items
}

// maxShort limits the characters of a name or version. It is more than a DNS name has, and
// than a tag of an image.
const maxShort = 128

// short cuts a foreign text that should be short.
func short(text string) string {
	if runes := []rune(text); len(runes) > maxShort {
		return string(runes[:maxShort]) + "…"
	}
	return text
}

// code writes a short foreign text as code.
func code(foreign string) string { return text.MarkdownCode(short(foreign)) }

// versions writes the table of versions.
func (p Patch) versions(most int) string {
	table := rows{head: "\n| | from | to | digest | mirror | signature |\n|---|---|---|---|---|---|\n", of: "versions"}
	for _, v := range p.Versions {
		table.lines = append(table.lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %s |",
			text.MarkdownText(short(v.What)), code(v.From), code(v.To), digest(v.Digest), v.Mirror, v.Signature))
	}
	return table.write(most)
}

// digest writes the first digits of a digest: the lock and the diff have all of them.
func digest(digest string) string {
	const most = len("sha256:") + 12
	if digest == "" {
		return "unknown"
	}
	if len(digest) > most {
		return text.MarkdownCode(digest[:most]) + "…"
	}
	return text.MarkdownCode(digest)
}

// String writes the state for a cell of a table.
func (m Mirror) String() string {
	switch m.State {
	case NoMirror:
		return "no mirror"
	case Mirrored:
		return "same digest"
	case NotMirrored:
		return "**missing**"
	case OtherDigest:
		return "**another digest**: " + digest(m.Digest)
	}
	return "**unknown**"
}

// String writes the state for a cell of a table.
func (s Signature) String() string {
	switch s.State {
	case Signed:
		return "by " + code(s.By)
	case NotSigned:
		return "**none**"
	case SignatureUnknown:
		return "**unknown**"
	}
	return "no rule"
}

// actions lists what the patch requires, what is left to a person first.
func (p Patch) actions(most int) string {
	todo, done := rows{head: "\n### Before the merge\n\n", of: "actions"}, rows{head: "\n### Changed along with the versions\n\n", of: "changes"}
	for _, a := range p.Actions {
		list := &todo
		if a.Edited {
			list = &done
		}
		list.lines = append(list.lines, "- "+a.at()+text.MarkdownText(text.FirstLine(a.Text)))
	}
	first := todo.write(most)
	return first + done.write(most-len(first))
}

// at writes the place of an action.
func (a Action) at() string {
	switch {
	case a.File == "":
		return ""
	case a.Line == 0:
		return code(a.File) + ": "
	}
	return code(fmt.Sprintf("%s:%d", a.File, a.Line)) + ": "
}

// rollback says how to go back.
func (p Patch) rollback() string {
	var back []string
	for _, v := range p.Versions[:min(4, len(p.Versions))] {
		back = append(back, text.MarkdownText(cutRunes(v.What, 20))+" "+text.MarkdownCode(cutRunes(v.From, 40)))
	}
	sentence := "\n### Rollback\n\nRevert the commit of this pull request: `git revert` brings back " + strings.Join(back, ", ") + "."
	if slices.ContainsFunc(p.Changes.Changes, diff.Change.LosesData) {
		sentence += " It does not bring back lost data."
	}
	if migrates(p.Changes) || len(p.Unseen) > 0 {
		sentence += " It does not undo migrations: back up the databases before the merge, since a rollback may need to downgrade or restore them."
	}
	return sentence + "\n"
}

// cutRunes cuts a text.
func cutRunes(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(most, len(runes))])
}

// defaults lists the changed defaults of charts.
func (p Patch) defaults(most int) string {
	table := rows{head: "\n### Changed chart defaults\n\n| release | value | from | to |\n|---|---|---|---|\n", of: "defaults"}
	for _, one := range p.Defaults {
		table.lines = append(table.lines, fmt.Sprintf("| %s | %s | %s | %s |", code(one.Release), code(one.Key), code(one.From), code(one.To)))
	}
	return table.write(most)
}

// keys gives the keys of the releases of a wave.
func (w Wave) keys() string {
	var keys []string
	for _, r := range w.Releases[:min(8, len(w.Releases))] {
		keys = append(keys, code(r.Key))
	}
	if n := len(w.Releases) - len(keys); n > 0 {
		keys = append(keys, fmt.Sprintf("%d more", n))
	}
	return strings.Join(keys, ", ")
}
