package roadmap

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Runbook is the steps of a hop in their order, and the way back.
type Runbook struct {
	Steps []Step `json:"steps"`
	// Restarts says which pods restart, Final what cannot be undone by reverting a commit:
	// sentences without a period.
	Restarts []string `json:"restarts"`
	Final    []string `json:"final"`
	Back     []Step   `json:"back"` // the way back
}

// Step is a step of a runbook.
type Step struct {
	Title    string   `json:"title"`
	Why      string   `json:"why,omitempty"` // a sentence
	Commands []string `json:"commands"`      // of a shell, in their order
	// Proof is the commands that show that the step is done, and Expect what they show
	// then: a clause without a period.
	Proof  []string `json:"proof"`
	Expect string   `json:"expect,omitempty"`
	// Limit is how long the step may take, as a Go duration.
	Limit string `json:"limit,omitempty"`
}

// Facts is what a runbook needs to know besides the hop.
type Facts struct {
	File        string // the environment file
	Environment render.Environment
	Plan        render.Plan // of the environment after the hop, or as it is
	Maintenance string      // a file with the vendor's manifest for maintenance mode, if it is known
}

// NewRunbook writes the runbook of a hop for an environment, after the guide's chapter on
// upgrades with breaking changes; that of a patch has neither maintenance nor snapshots.
func NewRunbook(facts Facts, h Hop) Runbook {
	r := runbook{Facts: facts, hop: h}
	book := Runbook{Steps: []Step{}, Restarts: r.restarts(), Final: []string{}, Back: []Step{}}
	add := func(steps ...Step) { book.Steps = append(book.Steps, steps...) }
	migrates := r.migrates()
	add(r.edit())
	if facts.Plan.Mirror() != "" {
		add(r.mirror())
	}
	if migrates {
		add(r.maintenanceOn())
		add(r.snapshot())
	}
	add(r.merge())
	for _, wave := range facts.Plan.Waves {
		for _, release := range wave {
			if r.changes(release.Key) {
				add(r.wave(release))
			}
		}
	}
	add(r.watch())
	if migrates {
		add(r.maintenanceOff())
	}
	add(r.after()...)
	if migrates {
		book.Final = append(book.Final, "the migrations of the databases: dropped tables and columns come back from the snapshots alone, and older images may not run on the new schema")
	}
	book.Final = append(book.Final, r.final()...)
	book.Back = r.back(migrates)
	for i := range book.Steps {
		book.Steps[i].fill()
	}
	for i := range book.Back {
		book.Back[i].fill()
	}
	return book
}

// fill makes lists of nothing empty lists.
func (s *Step) fill() {
	if s.Commands == nil {
		s.Commands = []string{}
	}
	if s.Proof == nil {
		s.Proof = []string{}
	}
}

type runbook struct {
	Facts
	hop Hop
}

// changes reports whether a release changes with the hop: its chart, or its images.
func (r runbook) changes(key string) bool {
	for _, t := range r.hop.Versions {
		if t.From == t.To && t.To != "" {
			continue
		}
		if t.Part.Title() == key || !t.Part.IsChart() && key == render.PrefectCloud && (t.Part == upgrade.Server || t.Part == upgrade.UI) {
			return true
		}
	}
	return false
}

// migrates reports whether databases may be migrated by more than a patch does. Patches
// are straightforward unless release notes say otherwise, as the guide says.
func (r runbook) migrates() bool { return r.hop.Kind == upgrade.LineHop }

func (r runbook) f() string {
	if r.File == "environment.yaml" {
		return ""
	}
	return " -f " + word(r.File)
}

// word writes a word of a command, quoted where a shell would read it otherwise.
func word(of string) string {
	special := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_./:@%+=,", c)
	}
	if of == "" || of[0] == '-' || strings.ContainsFunc(of, special) {
		return text.ShellWord(of)
	}
	return of
}

// edit changes the environment on a branch.
func (r runbook) edit() Step {
	step := Step{Title: "Edit the environment file on a branch", Why: "Do what is to be done first, then set the versions.",
		Proof: []string{"pm-gitops validate" + r.f() + " --charts", "pm-gitops check" + r.f()}, Expect: "valid, and no errors found"}
	if r.hop.Kind == upgrade.PatchHop {
		command := "pm-gitops upgrade" + r.f()
		for _, t := range r.hop.Versions {
			if t.From != t.To {
				command += " --" + t.Part.Flag() + " " + word(t.To)
			}
		}
		step.Title, step.Commands, step.Why = "Open the pull request", []string{command}, ""
		step.Proof, step.Expect = nil, ""
		return step
	}
	set := "pm-gitops set" + r.f()
	var unknown []string
	for _, t := range r.hop.Versions {
		switch {
		case t.To == "":
			unknown = append(unknown, t.Part.Title())
		case t.To != t.From:
			set += " " + word(r.field(t.Part)+"="+t.To)
		}
	}
	if strings.Contains(set, "=") {
		step.Commands = append(step.Commands, set)
	}
	if unknown != nil {
		step.Why += " Not known yet, so not in the command: " + text.OneOf(unknown) + "."
	}
	step.Commands = append(step.Commands, "pm-gitops render"+r.f()+" --commit --pull-request")
	return step
}

// field names the field of a part's version.
func (r runbook) field(part upgrade.Part) string {
	if slices.Contains(upgrade.Parts(), part) {
		return "spec.versions." + string(part)
	}
	return r.Plan.ReleasePath(string(part)) + ".version"
}

func (r runbook) mirror() Step {
	return Step{Title: "Mirror what is new", Why: "What the mirror has already is skipped.",
		Commands: []string{"pm-gitops mirror" + r.f()}, Proof: []string{"pm-gitops mirror" + r.f() + " --check"}, Expect: "nothing missing, and no other digest"}
}

func (r runbook) merge() Step {
	return Step{Title: "Merge the pull request", Commands: nil,
		Why:   r.Plan.Traits().Title + " applies it from the branch that it follows.",
		Proof: []string{"pm-gitops status" + r.f()}, Expect: "the source has the commit of the merge"}
}

// wave waits for a release.
func (r runbook) wave(release render.Release) Step {
	limit := release.UpgradeTimeout
	step := Step{Title: "Wait for " + release.Key, Limit: short(limit)}
	if release.Key != render.PrefectCloud {
		step.Proof = []string{fmt.Sprintf("kubectl -n %s get pods", word(release.Namespace)), "pm-gitops status" + r.f()}
		step.Expect = release.Key + " is ready"
		return step
	}
	step.Why = "Services may crash until the migrations are complete."
	jobs := r.jobs()
	for _, job := range jobs {
		step.Commands = append(step.Commands, fmt.Sprintf("kubectl -n %s logs --follow job/%s", word(release.Namespace), word(job)))
	}
	if len(jobs) > 1 && r.effects(release.Key) == nil {
		step.Why += " Which of these migrates depends on the chart."
	}
	step.Proof = []string{fmt.Sprintf("kubectl -n %s get jobs,pods", word(release.Namespace)), "pm-gitops status" + r.f()}
	step.Expect = "the migrations are complete, and " + release.Key + " is ready"
	return step
}

// jobs names the Jobs that migrate the databases: those that run, where the charts were
// compared, and else those that the catalog knows.
func (r runbook) jobs() []string {
	effects := r.effects(render.PrefectCloud)
	if effects == nil {
		return r.Plan.MigrationJobs()
	}
	var jobs []string
	for _, effect := range effects {
		for _, object := range effect.Objects {
			if name, isJob := strings.CutPrefix(object, "Job "+r.namespace()+"/"); isJob && effect.Action == diff.Run {
				jobs = append(jobs, name)
			}
		}
	}
	return jobs
}

// watch waits for everything, as long as all releases may take.
func (r runbook) watch() Step {
	var limit time.Duration
	for _, release := range r.Plan.Releases() {
		if r.changes(release.Key) {
			limit += release.UpgradeTimeout
		}
	}
	return Step{Title: "Check that everything is ready", Limit: short(limit),
		Proof: []string{"pm-gitops status" + r.f() + " --watch --timeout " + short(limit)}, Expect: "exit code 0"}
}

// short writes a duration without what is zero at its end.
func short(d time.Duration) string {
	written := d.String()
	if strings.HasSuffix(written, "m0s") {
		written = strings.TrimSuffix(written, "0s")
	}
	if strings.HasSuffix(written, "h0m") {
		written = strings.TrimSuffix(written, "0m")
	}
	return written
}
