package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// Looked is an environment that was looked at, with what was found.
type Looked struct {
	Findings []finding.Finding // as [Run] gives them
	scope    *scope
}

// Trial says how fixes are tried.
type Trial struct {
	// Again looks at an environment that has other settings, with the same
	// releases. Its error ends everything, unless it is [render.Problems]: those
	// are the environment's.
	Again func(render.Environment) (Looked, error)
	// Least is the severity of the least severe findings whose fixes are tried, and
	// Most how often the environment is looked at again for them.
	Least finding.Severity
	Most  int
}

// maxSteps limits how many fixes are tried together: the finding's own, and those of
// what is found with it.
const maxSteps = 3

// Try tries the fixes of the findings, those that are the same once. One that ends
// its finding and changes nothing else is proved; one that does not end it, or with
// which the environment is refused or its charts fail, is taken back; and any other
// stays a guess that says why. Of several ways to fix a finding the first that is proved
// counts. Where something else is found with a fix, and that has a fix of its own, the two
// are tried together: each may change what its findings ask for. Nothing is rendered
// where no finding has a fix to try.
//
// What is else is every place of every object, for an install, an upgrade and what
// comes later, but for those that the check asks to change, what is random, and the
// checksums that charts make of their objects; what the environment says of every
// other release, of namespaces and of the cluster; and every finding that is new.
func (l Looked) Try(t Trial) ([]finding.Finding, error) {
	found := slices.Clone(l.Findings)
	work := &trying{Looked: l, Trial: t, left: t.Most, proved: map[string]bool{}}
	for _, alike := range groupFixes(found, t.Least) {
		if err := work.try(found, alike); err != nil {
			return nil, err
		}
	}
	for i := range found {
		found[i].Others = nil
	}
	return found, nil
}

// groupFixes gives the places of findings with the same fix, the first first.
func groupFixes(found []finding.Finding, least finding.Severity) [][]int {
	var groups [][]int
	places := map[string]int{}
	for i, f := range found {
		if f.Set == nil || f.Ignored != "" || !f.Severity.AtLeast(least) {
			continue
		}
		key := f.ID + f.Release + write(f.Set, f.Others)
		if _, known := places[key]; !known {
			places[key] = len(groups)
			groups = append(groups, nil)
		}
		groups[places[key]] = append(groups[places[key]], i)
	}
	return groups
}

// write writes what is to be set, to compare it.
func write(sets ...any) string {
	text, _ := json.Marshal(sets) // plain values
	return string(text)
}

// trying is the work of trying fixes.
type trying struct {
	Looked
	Trial
	left   int             // how often the environment may be looked at again
	proved map[string]bool // what is to be set, as it is written
}

// attempt holds the outcome of settings that were tried.
type attempt struct {
	set   []finding.Proposal
	ended []finding.Finding
	doubt string // empty: proved
}

// try tries the fixes of findings that have the same ones, until one is proved for each.
func (t *trying) try(found []finding.Finding, alike []int) error {
	guesses := map[int]attempt{}
	left, untried := slices.Clone(alike), []finding.Proposal(nil)
	for _, set := range t.choices(found[alike[0]]) {
		if len(left) == 0 {
			return nil
		}
		if t.left == 0 {
			untried = set
			break
		}
		var asked []finding.Finding
		for _, i := range left {
			asked = append(asked, found[i])
		}
		made, err := t.prove(step{before: t.Looked, set: set, asked: asked, left: maxSteps})
		if err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(i int) bool {
			_, guessed := guesses[i]
			switch {
			case !slices.ContainsFunc(made.ended, func(f finding.Finding) bool { return reflect.DeepEqual(f, found[i]) }):
				return false
			case made.doubt == "":
				t.proved[write(set)] = true
				t.settle(&found[i], made, finding.Proved)
				return true
			case !guessed:
				guesses[i] = made
			}
			return false
		})
	}
	for _, i := range left {
		made, guessed := guesses[i]
		switch f := &found[i]; {
		case guessed:
			t.settle(f, made, finding.Guess)
		case untried != nil:
			t.settle(f, attempt{set: untried, doubt: fmt.Sprintf("not tried: the environment is rendered again at most %d times", t.Most)}, finding.Guess)
		default:
			f.Set, f.Fix, f.Certainty, f.Doubt = nil, f.Otherwise, finding.Advice, ""
			if f.Fix == "" {
				f.Certainty = ""
			}
		}
	}
	return nil
}

// choices gives what to try for a finding: what was proved for another one first.
func (t *trying) choices(f finding.Finding) [][]finding.Proposal {
	all := slices.Concat([][]finding.Proposal{f.Set}, f.Others)
	slices.SortStableFunc(all, func(a, b []finding.Proposal) int {
		switch first, second := t.proved[write(a)], t.proved[write(b)]; {
		case first == second:
			return 0
		case first:
			return -1
		}
		return 1
	})
	return all
}

// settle says of a finding what came of its fix.
func (t *trying) settle(f *finding.Finding, made attempt, how finding.Certainty) {
	own := len(made.set) >= len(f.Set) && write(made.set[:len(f.Set)]) == write(f.Set)
	switch {
	case !own:
		f.Fix = describe(made.set)
	case len(made.set) > len(f.Set):
		f.Fix += " and " + describe(made.set[len(f.Set):])
	}
	f.Set, f.Fix, f.Certainty, f.Doubt = made.set, clean(f.Fix), how, clean(made.doubt)
	if r := t.scope.find(f.Release); r != nil && f.Setting != f.Set[0].Field {
		t.scope.putField(f, r, f.Set[0].Field)
	}
}

// step is settings to try in an environment that was looked at.
type step struct {
	before Looked
	set    []finding.Proposal
	asked  []finding.Finding // which they are for
	ended  []finding.Finding // which steps before have ended
	left   int               // how many steps may come, this one among them
}

// prove tries the settings of a step. Where that is all that its findings ask for, but
// something else is found then that has a fix, it goes on with that one.
func (t *trying) prove(do step) (attempt, error) {
	made := attempt{set: do.set}
	t.left--
	after, ok, err := t.look(do.set)
	if err != nil || !ok || do.before.breaks(after) || slices.ContainsFunc(do.ended, after.finds) {
		return made, err
	}
	var asking []finding.Finding
	for _, f := range do.asked {
		if !after.finds(f) {
			made.ended = append(made.ended, f)
			f.Set = do.set
			asking = append(asking, f)
		}
	}
	if made.ended == nil {
		return made, nil
	}
	if made.doubt = do.before.doubt(after, asking); made.doubt != "" {
		return made, nil
	}
	fresh := slices.DeleteFunc(slices.Clone(after.scope.found), func(f finding.Finding) bool {
		return f.ID == unusedID || f.Ignored != "" || t.finds(f) // what else it ends needs no acceptance any more
	})
	if len(fresh) == 0 {
		return made, nil
	}
	made.doubt = "then " + enumerate(fresh, func(f finding.Finding) string { return f.ID + " is found" + prepend(" at ", f.Object) })
	i := slices.IndexFunc(fresh, func(f finding.Finding) bool { return f.Set != nil })
	if i < 0 || do.left == 1 {
		return made, nil
	}
	for _, more := range t.choices(fresh[i]) {
		if t.left == 0 || sets(do.set, more) {
			continue
		}
		longer, err := t.prove(step{after, slices.Concat(do.set, more), fresh, slices.Concat(do.ended, made.ended), do.left - 1})
		if err != nil {
			return made, err
		}
		if longer.ended != nil && longer.doubt == "" {
			t.proved[write(more)] = true
			made.set, made.doubt = longer.set, ""
			return made, nil
		}
	}
	return made, nil
}

// sets reports whether one of the fields is set already.
func sets(set, more []finding.Proposal) bool {
	return slices.ContainsFunc(more, func(p finding.Proposal) bool {
		return slices.ContainsFunc(set, func(other finding.Proposal) bool { return other.Field == p.Field })
	})
}

// look looks at the environment with other settings, unless it is refused with them.
func (t *trying) look(set []finding.Proposal) (after Looked, ok bool, err error) {
	var settings []render.Setting
	for _, proposal := range set {
		settings = append(settings, proposal.Setting())
	}
	environment, err := t.scope.Environment.With(settings...)
	if err == nil {
		after, err = t.Again(environment)
	}
	if problems := (render.Problems)(nil); err != nil && errors.As(err, &problems) {
		return after, false, nil
	}
	return after, err == nil, err
}
