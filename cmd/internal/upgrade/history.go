package upgrade

import (
	"context"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Soaking says since when environments that go first have versions at least as new as
// those of an upgrade: for each that the policy names, what its file on the base has, and
// since when the base's first-parent history has that. History is read back to needed at
// most, the longest soak before now, and only if a policy asks for a soak. Environments
// that are not among members are left out: they do not exist.
func Soaking(ctx context.Context, base *gitrepo.Base, members []fleet.Member, policy render.Upgrade, to upgrade.Versions, now time.Time) map[string]upgrade.Predecessor {
	return nil
}
