package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Lister lists the tags of repositories, such as a [registry.Client].
type Lister interface {
	Tags(ctx context.Context, chart string) ([]string, error)      // versions of a chart
	ImageTags(ctx context.Context, image string) ([]string, error) // all tags of an image
}

// Lists asks registries which versions there are, each repository once. It may be used by
// many goroutines.
type Lists struct {
	// Folder names the folder of charts that the lists are of, if they are of none in
	// registries.
	Folder string

	from  Lister
	mu    sync.Mutex
	asked map[string]func() answer // by repository
}

// answer holds the reply of a registry about a repository.
type answer struct {
	versions []string
	err      error
}

// NewLists makes lists that nothing was asked for yet. Without a Lister nothing is ever
// asked, as offline.
func NewLists(from Lister) *Lists { return &Lists{from: from, asked: map[string]func() answer{}} }

// Known gives the versions that the source and the mirror of an environment have, of
// its charts and of the images of server and ui, and a sentence for each repository that
// gave no list: one that registries forbid is no failure. The error is that of the
// context.
func (l *Lists) Known(ctx context.Context, plan render.Plan) (upgrade.Known, []string, error) {
	if l.from == nil {
		return nil, []string{"no registry is asked which versions there are: offline"}, nil
	}
	type question struct {
		part       upgrade.Part
		repository string
	}
	var questions []question
	for _, part := range upgrade.Parts() {
		for _, repository := range places(plan, part) {
			questions = append(questions, question{part, repository})
		}
	}
	answers := make([]answer, len(questions))
	parallel.Each(len(questions), len(questions), func(i int) {
		answers[i] = l.list(ctx, questions[i].part, questions[i].repository)
	})
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	known, unknown := upgrade.Known{}, []string(nil)
	for i, q := range questions {
		listed, seen := known[q.part]
		listed.Folder = l.Folder
		listed.Versions = append(slices.Clip(listed.Versions), answers[i].versions...)
		listed.Complete = (listed.Complete || !seen) && answers[i].err == nil
		known[q.part] = listed
		if answers[i].err != nil {
			why := answers[i].err.Error()
			for _, listed := range []string{"versions", "tags"} { // the sentence has the repository already
				why = strings.TrimPrefix(why, listed+" of "+q.repository+": ")
			}
			unknown = append(unknown, fmt.Sprintf("not known which versions %s has: %s", q.repository, why))
		}
	}
	return known, unknown, nil
}

// Chart gives the versions that registries have of a release's chart, where it is pulled
// from and where it comes from, and a sentence for each repository that gave no list.
func (l *Lists) Chart(ctx context.Context, plan render.Plan, repository string) (upgrade.Listed, []string) {
	if l.from == nil {
		return upgrade.Listed{}, []string{"no registry is asked which versions there are: offline"}
	}
	listed, unknown := upgrade.Listed{Complete: true, Folder: l.Folder}, []string(nil)
	for _, place := range origins(plan, repository) {
		got := l.list(ctx, upgrade.PrefectCloud, place)
		listed.Versions = append(listed.Versions, got.versions...)
		if got.err != nil {
			listed.Complete = false
			unknown = append(unknown, fmt.Sprintf("not known which versions %s has: %s", place, got.err))
		}
	}
	return listed, unknown
}

// list asks for the versions in a repository, once.
func (l *Lists) list(ctx context.Context, part upgrade.Part, repository string) answer {
	l.mu.Lock()
	ask, asked := l.asked[repository]
	if !asked {
		ask = sync.OnceValue(func() (a answer) {
			if part.IsChart() {
				a.versions, a.err = l.from.Tags(ctx, repository)
			} else {
				a.versions, a.err = l.from.ImageTags(ctx, repository)
			}
			return a
		})
		l.asked[repository] = ask
	}
	l.mu.Unlock()
	return ask()
}

// places gives the repositories of a part: the one that it is pulled from first, and
// where that comes from, if that is another one and known. There are none of a part that
// the environment does not have.
func places(plan render.Plan, part upgrade.Part) []string {
	pulled := ""
	if part.IsChart() {
		for _, release := range plan.Releases() {
			if release.Key == part.Title() {
				pulled = release.Chart.Repository
			}
		}
	} else {
		pulled = plan.Image(part.Title())
	}
	return origins(plan, pulled)
}

// origins gives a repository that is pulled from, and where that comes from, if that is
// another one and known.
func origins(plan render.Plan, pulled string) []string {
	origin, known := plan.Original(pulled)
	switch {
	case pulled == "":
		return nil
	case known && origin != pulled:
		return []string{pulled, origin}
	}
	return []string{pulled}
}
