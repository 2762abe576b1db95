// Package importer turns what an installation was made from by hand, with Flux or
// with Argo CD, into an environment file: chart values that a field of the
// environment sets become that field, the rest stays chart values, and every
// secret becomes a reference. It never writes down or repeats a secret, nor
// what only looks like one, unless it lies where no reference can be given: a
// note says so.
//
// What it gives has been checked: composed again, through the layout of the
// chart's line, it is the chart values that were read, but for what the
// Result says.
package importer

import (
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
)

// File is something that says the values of an installation: a values file,
// what `helm get values` prints, or Kubernetes objects with a HelmRelease or
// an Application.
type File struct {
	Name string // for problems; it is never opened
	Data []byte
	// Release is whose values they are, prefect-cloud or prefect-istiod, if
	// somebody said so. A values file without it is prefect-cloud's.
	Release string
}

// Options is what no values file says.
type Options struct {
	Name                        render.Name // of the environment
	PrefectCloud, PrefectIstiod render.ChartVersion
}

// Result is an environment file, and what there is to say about it.
type Result struct {
	// YAML is the file. It is accepted once the blanks are filled in.
	YAML []byte
	// Line is the release line whose layout was used. Where no version told
	// which, Guesses is the lines that the values fit, and Line the last of them.
	Line    string
	Guesses []string
	// Fields is the fields that say what chart values said, in file order.
	Fields []string
	// Values is the chart values that no field says, by release and path.
	Values []Kept
	// Secrets is the chart values that became references.
	Secrets []Secret
	// Create is the Secrets that must exist for them in the cluster.
	Create []render.RequiredSecret
	// Blanks is the fields that somebody must fill in before the file is accepted.
	Blanks []render.Blank
	// Added is chart values that the environment sets and the input did not.
	Added []Added
	// Notes is what was not taken over, or deserves a look.
	Notes render.Problems
	// FromArgo says that an Application was read.
	FromArgo bool
}

// Kept is a chart value that no field says.
type Kept struct{ Release, Path string }

// Secret is a chart value that became a reference.
type Secret struct {
	Release, Path string
	From          render.SecretRef
}

// Added is a chart value that was not there before. It is no secret.
type Added struct {
	Release, Path string
	Value         any
}

// Environment makes an environment file of what files say, later ones laid
// over earlier ones as Helm does with several -f. The error is every problem
// at once, as [render.Problems], or what is wrong with the catalog.
func Environment(files []File, cat catalog.Catalog, o Options) (Result, error) {
	r := reader{releases: map[string]*installed{}, odd: map[*value]string{}}
	for _, file := range files {
		r.file(file)
	}
	d, err := newDraft(r, cat, o)
	if err == nil {
		d.findSecrets()
		r.problems = append(r.problems, d.problems...)
	}
	if r.problems != nil {
		return Result{}, r.problems.Err()
	}
	if err != nil {
		return Result{}, err
	}
	composed, err := d.settle()
	if err != nil {
		return Result{}, err
	}
	result, err := d.finish(composed)
	if err != nil {
		return Result{}, err
	}
	result.Notes = slices.Concat(r.notes, r.oddities(), d.notes).Sorted()
	result.FromArgo = r.fromArgo
	return result, nil
}
