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
// members of base, which versions they have, and since when the base's first-parent
// history has versions that are at least as new as those of an upgrade. History is read
// only where the policy asks for a soak, and no further back than that, from at. Of facts,
// Now and To are used.
func Soaking(ctx context.Context, base *gitrepo.Base, members []fleet.Member, policy render.Upgrade, facts upgrade.Facts, at time.Time) map[string]upgrade.Predecessor {
	return nil
}
