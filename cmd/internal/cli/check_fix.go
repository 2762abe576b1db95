package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// fixing applies the fixes that are proved to the files of environments. Each fix was
// proved alone: all fixes of an environment are applied together, the environment is
// looked at again, and the result may hold fixes that are proved only now.
type fixing struct {
	app
	checkOptions
	source  charts.Source
	request fleet.Request // with the fixes so far, in Instead
	target  render.Choice
	members []fleet.Member
	found   map[string][]finding.Finding // by environment, with the fixes so far
	tried   map[string]bool              // the keys of fixes that were applied or left
	files   []fixedFile
	fixed   []finding.Finding // those that the fixes ended
	left    []leftFix
}

// fix is proposals that end findings of an environment.
type fix struct {
	set  []finding.Proposal
	ends []finding.Finding
}

// fixedFile is the file of an environment with fixes.
type fixedFile struct {
	edit.File
	resolved string // the key in Instead
	fixed    int    // how many findings
}

// leftFix is a fix that is proved and was not applied. Its JSON form is an interface:
// fields are only ever added.
type leftFix struct {
	Environment string             `json:"environment"`
	Check       string             `json:"check"` // of the first finding that it ends
	Set         []finding.Proposal `json:"set"`
	Why         string             `json:"why"`
	Command     string             `json:"command,omitempty"` // that applies it
}

// draft is the file of an environment with some fixes more.
type draft struct {
	fixedFile
	member fleet.Member
	fixes  []fix
}

// refusal is why a fix cannot be applied.
type refusal struct{ why, command string }

func (r refusal) Error() string { return r.why }

// applyFixes applies the fixes of findings. Nothing is written.
func (f *fixing) applyFixes(ctx context.Context, found []finding.Finding) error {
	f.found, f.tried, f.request.Instead = map[string][]finding.Finding{}, map[string]bool{}, map[string][]byte{}
	for _, one := range found {
		f.found[one.Environment] = append(f.found[one.Environment], one)
	}
	for {
		drafts, err := f.draft(ctx)
		if err != nil {
			return err
		}
		if len(drafts) == 0 {
			break
		}
		if err := f.settle(ctx, drafts); err != nil {
			return err
		}
	}
	if len(f.files) == 0 {
		return nil
	}
	_, err := fleet.Render(ctx, f.request, f.target) // all environments together
	return err
}

// remaining gives the findings with the fixes applied.
func (f *fixing) remaining() []finding.Finding {
	var all []finding.Finding
	for _, m := range f.members {
		all = append(all, f.found[m.Plan.Environment]...)
	}
	return all
}

// draft applies all fixes that are proved and were not tried yet, an environment's
// together. Those that cannot be applied are left.
func (f *fixing) draft(ctx context.Context) (drafts []draft, err error) {
	for _, m := range f.members {
		d := draft{member: m}
		for _, one := range f.proved(m.Plan.Environment) {
			if _, err := f.edit(ctx, m, one); err == nil {
				d.fixes = append(d.fixes, one)
			} else if err := f.leave(m, one, err); err != nil {
				return nil, err
			}
		}
		if len(d.fixes) == 0 {
			continue
		}
		d.fixedFile, err = f.edit(ctx, m, d.fixes...)
		if err != nil && !errors.As(err, &refusal{}) {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// proved lists the fixes of an environment that are proved and were not tried yet.
func (f *fixing) proved(environment string) []fix {
	var all []fix
	places := map[string]int{}
	for _, one := range f.found[environment] {
		if one.Certainty != finding.Proved || one.Set == nil || one.Ignored != "" {
			continue
		}
		set, _ := json.Marshal(one.Set) // plain values
		key := environment + "\n" + string(set)
		if i, known := places[key]; known {
			all[i].ends = append(all[i].ends, one)
		} else if !f.tried[key] {
			f.tried[key], places[key] = true, len(all)
			all = append(all, fix{one.Set, []finding.Finding{one}})
		}
	}
	return all
}

// edit applies fixes to the file of an environment as it is with the fixes so far. A
// fix that cannot be applied there is a refusal.
func (f *fixing) edit(ctx context.Context, m fleet.Member, fixes ...fix) (fixedFile, error) {
	request := f.request
	request.Files, request.Recursive, request.Environments = []string{m.File}, false, nil
	env, err := request.Editable(ctx)
	if err != nil {
		return fixedFile{}, err
	}
	var edits []edit.Edit
	seen := map[string]bool{}
	for _, one := range fixes {
		for _, p := range one.set {
			if seen[p.Assignment()] { // two checks may want the same
				continue
			}
			seen[p.Assignment()] = true
			path, value, _ := edit.Cut(p.Assignment())
			e, err := readAssignment(path, value) // as set reads it
			if err != nil {
				return fixedFile{}, refusal{why: err.Error()}
			}
			edits = append(edits, e)
		}
	}
	if _, err := env.Apply(edits...); err != nil {
		return fixedFile{}, refusal{why: err.Error()}
	}
	files := env.Files()
	for _, other := range files[1:] {
		if string(other.Old) != string(other.New) {
			return fixedFile{}, refusal{"the value is in " + other.Name + ", which the environment extends", setCommand(m.File, fixes[0].set)}
		}
	}
	resolved, err := fleet.Resolve(m.File)
	return fixedFile{File: files[0], resolved: resolved}, err
}
