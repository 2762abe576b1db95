package publish

import (
	"context"
	"io/fs"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Make makes a job from the files of a remote repository, or from those of this
// machine if repository is nil. For a remote repository it is called again after a
// lost race, and must then keep nothing of the call before. Where some environments
// fail and the others may be published, it gives both the job and the error.
type Make func(ctx context.Context, repository fs.FS) (Job, error)

// Fleet asks for environments that are rendered and then published.
type Fleet struct {
	Request        fleet.Request // its Repository is that of the publication
	Target         render.Choice
	Layouts        tree.Layouts // of the targets that are known
	PerEnvironment bool         // a commit for each environment, and not one for all
}

// Make renders the environments, as a [Make] does. Its errors are those of
// [fleet.Render].
func (f Fleet) Make(ctx context.Context, repository fs.FS) (Job, error) {
	f.Request.Repository = repository
	members, err := fleet.Render(ctx, f.Request, f.Target)
	if err != nil && (len(members) == 0 || !fleet.IsPartial(err)) {
		return nil, err
	}
	return Rendered{Members: members, Layouts: f.Layouts, PerEnvironment: f.PerEnvironment}, err
}

// FromHere makes the job of the files of this machine, whatever the repository
// holds. It does so once: after a lost race the job is the same.
func (f Fleet) FromHere() Make {
	var job Job
	var failed error
	return func(ctx context.Context, _ fs.FS) (Job, error) {
		if job == nil {
			job, failed = f.Make(ctx, nil)
		}
		return job, failed
	}
}
