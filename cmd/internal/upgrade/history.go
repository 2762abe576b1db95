package upgrade

import (
	"context"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Soaking says of the environments that a policy names in after, and that are among the
// members of base, which versions they have. Since when they have them is not known: the
// history of the base branch is not read.
func Soaking(_ context.Context, _ *gitrepo.Base, members []fleet.Member, policy render.Upgrade, _ upgrade.Facts, _ time.Time) map[string]upgrade.Predecessor {
	first := map[string]upgrade.Predecessor{}
	for _, after := range policy.After {
		for _, m := range members {
			if m.Environment.Metadata.Name == after.Environment {
				first[string(after.Environment)] = upgrade.Predecessor{Versions: upgrade.VersionsOf(m.Environment), Why: "the history of the base branch is not read"}
			}
		}
	}
	return first
}
