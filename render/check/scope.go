package check

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/images"
)

// scope is what checks look at, and what they found.
type scope struct {
	Input
	releases []*release
	check    Check
	added    map[finding.Severity]int // by the check in the release
	beyond   map[alike]int            // how many were not kept
	makes    map[string]bool          // see index
	found    []finding.Finding
}

// release is a release with its objects read.
type release struct {
	Release
	wave      int // from 0
	objects   []*object
	values    []render.Explained // what the environment sets
	explained render.ExplainedRelease
	gets      []leaf     // see leaves
	reads     *keys.Tree // see unset
	found     []images.Image
	searched  bool              // found has the images of the objects
	moved     map[string]string // see moves
}

func newScope(in Input) (*scope, error) {
	s := &scope{Input: in, beyond: map[alike]int{}}
	waves := map[string]int{}
	for i, wave := range in.Plan.Waves {
		for _, r := range wave {
			waves[r.Key] = i
		}
	}
	explained := map[string]render.ExplainedRelease{}
	for _, e := range in.Plan.Explain().Releases {
		explained[e.Release] = e
	}
	scopes := map[string]string{}
	for _, given := range in.Releases {
		r := &release{Release: given, wave: waves[given.Key], values: explained[given.Key].Values, explained: explained[given.Key]}
		if err := r.read(); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Key, err)
		}
		for _, o := range r.objects {
			o.noteScope(scopes)
		}
		s.releases = append(s.releases, r)
	}
	for _, r := range s.releases {
		for _, o := range r.objects {
			o.settle(scopes)
		}
	}
	return s, nil
}

// byHelm reports whether Helm installs and upgrades releases; else a sync does.
func (s *scope) byHelm() bool { return s.Traits.Applier == render.ByHelm }

// system names the delivery system with its release.
func (s *scope) system() string { return strings.TrimSpace(s.Traits.Title + " " + s.Traits.Version) }

// add notes a finding of the check at work. It fills in what the finding does
// not say.
func (s *scope) add(f finding.Finding) {
	f.ID, f.Environment = s.check.ID, s.Plan.Environment
	if f.Severity == "" {
		f.Severity = s.check.Severity
	}
	if s.added[f.Severity]++; s.added[f.Severity] > maxKept {
		s.beyond[classify(f)]++
		return
	}
	if f.Setting == "" {
		f.Setting = "metadata.name"
		if f.Release != "" {
			f.Setting = s.releaseField(f.Release)
		}
	}
	if f.File == "" {
		s.put(&f, f.Setting)
	}
	if f.Object != nil {
		f.Object = identify(clean(f.Object.APIVersion), clean(f.Object.Kind), clean(f.Object.Namespace), clean(f.Object.Name))
	}
	f.Source, f.Field, f.Message, f.Fix, f.Otherwise = clean(f.Source), clean(f.Field), clean(f.Message), clean(f.Fix), clean(f.Otherwise)
	switch {
	case f.Certainty != "" || f.Fix == "":
	case f.Set != nil:
		f.Certainty, f.Doubt = finding.Guess, "not tried"
	default:
		f.Certainty = finding.Advice
	}
	s.found = append(s.found, f)
}

// releaseField is the field of the environment that brings a release: for the
// vendor's its version.
func (s *scope) releaseField(key string) string {
	switch key {
	case render.PrefectIstiod:
		return "spec.versions.prefectIstiod"
	case render.PrefectCloud:
		return "spec.versions.prefectCloud"
	}
	return s.Plan.ReleasePath(key)
}

// put says that a field of the environment can change what was found.
func (s *scope) put(f *finding.Finding, field string) {
	at := s.Plan.Problem(field, "").Position
	f.Setting, f.File, f.Line, f.Column = field, at.File, at.Line, at.Column
}

// finding is one at a field of an object.
func (o *object) finding(field, format string, args ...any) finding.Finding {
	return finding.Finding{Release: o.release.Key, Object: o.named(), Source: o.Source, Field: field, Message: fmt.Sprintf(format, args...)}
}

// finding is one of a release as a whole.
func (r *release) finding(format string, args ...any) finding.Finding {
	return finding.Finding{Release: r.Key, Message: fmt.Sprintf(format, args...)}
}

// sayer names the part of the files that says a chart value.
type sayer int

const (
	ownValue    sayer = iota // the values of the release in the environment
	secretEntry              // an entry of spec.secretValues
	layoutRule               // the catalog, by itself or from a field
)

// advice says what to do about a value for which the chart has no use. A field that
// the layout takes to it may be required: it is not to be left out.
func (by sayer) advice() string {
	switch by {
	case ownValue:
		return "correct the name"
	case secretEntry:
		return "correct the path, or take the entry out"
	}
	return "correct the rule in a catalog of yours (spec.catalog), or take the version of the chart that the catalog's line is for"
}

// putPath says that a chart value, or what sets it or lies in it, can change
// what was found, and gives what says it. What only the embedded catalog says is
// put at the release.
func (s *scope) putPath(f *finding.Finding, r *release, path string) sayer {
	problem := s.Plan.ValueProblem(r.explained, path, "%s", f.Message)
	if strings.HasPrefix(problem.Position.File, "<embedded>") {
		s.put(f, s.releaseField(r.Key))
		return layoutRule
	}
	at := problem.Position
	f.Message, f.Setting, f.File, f.Line, f.Column = problem.Message, problem.Path, at.File, at.Line, at.Column
	switch {
	case strings.HasPrefix(f.Setting, s.valuesField(r)):
		return ownValue
	case strings.HasPrefix(f.Setting, "spec.secretValues["):
		return secretEntry
	}
	return layoutRule
}
