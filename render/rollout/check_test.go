package rollout_test

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/rollout"
	"github.com/pm-gitops/pm-gitops/targets"
)

// unwatched is Flux without anything in the cluster that could be asked.
type unwatched struct{ targets.Flux }

func (unwatched) Traits(render.Delivery) render.Traits { return render.Traits{} }

// TestNoController: nobody looks for an environment that nothing knows.
func TestNoController(t *testing.T) {
	plan, manifests := plan(t, targets.Flux{})
	const want = "the flux target cannot report status: no controller in the cluster knows the environment"
	if _, err := rollout.New(plan, unwatched{}, manifests); err == nil || err.Error() != want {
		t.Errorf("New = %v, want %s", err, want)
	}
}
