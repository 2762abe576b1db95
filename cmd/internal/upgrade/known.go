package upgrade

import (
	"context"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Lister lists the tags of repositories, such as a [registry.Client].
type Lister interface {
	Tags(ctx context.Context, chart string) ([]string, error)      // versions of a chart
	ImageTags(ctx context.Context, image string) ([]string, error) // all tags of an image
}

// Lists asks registries which versions there are, each repository once.
type Lists struct{ from Lister }

// NewLists makes lists that nothing was asked for yet. Without a Lister nothing is ever
// asked, as offline.
func NewLists(from Lister) *Lists { return &Lists{from} }

// Known gives the versions that the source and the mirror of an environment have, of
// its charts and of the images of server and ui, and a sentence for each repository that
// gave no list: one that registries forbid is no failure. The error is that of the
// context.
func (l *Lists) Known(ctx context.Context, plan render.Plan) (upgrade.Known, []string, error) {
	return nil, nil, nil
}
