package cli

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/lock"
)

// What is copied has to be what the lock of its environment has, images and charts alike.
func TestCopiesAreHeldToLocks(t *testing.T) {
	had := lock.New("prod", []lock.Artifact{{Source: "quay.io/acme/app:1", Digest: "chart"}}, []lock.Artifact{{Source: "quay.io/acme/app:1", Digest: "image"}})
	locks := []*lockFile{{plan: &render.Plan{Environment: "dev"}}, {plan: &render.Plan{Environment: "prod"}, had: had}}
	artifacts := []mirror.Artifact{
		{Kind: mirror.Image, Source: "quay.io/acme/app:1", Target: "r.io/app:1", Environments: []string{"dev", "prod"}},
		{Kind: mirror.Chart, Source: "quay.io/acme/app@other", Target: "r.io/app:1", Environments: []string{"prod"}},
		{Kind: mirror.Image, Source: "quay.io/acme/app:1", Target: "r.io/app:1", Environments: []string{"dev"}},
		{Kind: mirror.Image, Source: "quay.io/acme/app:2", Target: "r.io/app:2", Environments: []string{"prod"}},
	}
	holdTo(locks, artifacts)
	for i, want := range []string{"image", "chart", "", ""} {
		if got := artifacts[i].Locked; got != want {
			t.Errorf("%s %s is held to %q, want %q", artifacts[i].Kind, artifacts[i].Source, got, want)
		}
	}
}
