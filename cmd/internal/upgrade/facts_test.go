package upgrade

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/proposal"
)

var (
	digestA = "sha256:" + strings.Repeat("a", 64)
	digestB = "sha256:" + strings.Repeat("b", 64)
)

// A mirror has an artifact with the digest of its source, or, where that cannot be asked,
// with that of the lock. All else is not mirrored or not known.
func TestStateOfArtifact(t *testing.T) {
	const source, target = "vendor.example/server:2", "mirror.example/server:2"
	had := lock.New("prod", nil, []lock.Artifact{{Source: source, Digest: digestA}})
	for name, tt := range map[string]struct {
		artifact Artifact
		had      lock.Lock
		want     proposal.Mirror
	}{
		"present":                        {Artifact{Result: mirror.Result{State: mirror.Present}}, had, proposal.Mirror{State: proposal.Mirrored}},
		"copied":                         {Artifact{Result: mirror.Result{State: mirror.Copied}}, had, proposal.Mirror{State: proposal.Mirrored}},
		"missing":                        {Artifact{Result: mirror.Result{State: mirror.Missing}}, had, proposal.Mirror{State: proposal.NotMirrored}},
		"another digest":                 {Artifact{Result: mirror.Result{State: mirror.Differs, Replaced: digestB}}, had, proposal.Mirror{State: proposal.OtherDigest, Digest: digestB}},
		"no source, the lock's digest":   {Artifact{mirror.Result{State: mirror.Failed, Error: "403"}, digestA}, had, proposal.Mirror{State: proposal.Mirrored}},
		"no source, another digest":      {Artifact{mirror.Result{State: mirror.Failed, Error: "403"}, digestB}, had, proposal.Mirror{State: proposal.OtherDigest, Digest: digestB}},
		"no source, not in the lock":     {Artifact{mirror.Result{State: mirror.Failed, Error: "403"}, digestA}, lock.Lock{}, proposal.Mirror{Why: "403"}},
		"no source and no mirror":        {Artifact{mirror.Result{State: mirror.Failed, Error: "403"}, ""}, had, proposal.Mirror{Why: "403"}},
		"a chart of the image's name":    {Artifact{mirror.Result{Kind: mirror.Chart, State: mirror.Failed, Error: "403"}, digestA}, had, proposal.Mirror{Why: "403"}},
		"the source failed after a look": {Artifact{mirror.Result{State: mirror.Failed, Error: "bad signature", Digest: digestA}, ""}, had, proposal.Mirror{Why: "bad signature"}},
	} {
		tt.artifact.Source, tt.artifact.Target = source, target
		if diff := cmp.Diff(tt.want, tt.artifact.state(tt.had)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What was not looked at is unseen, new errors are actions, warnings and notes concerns.
func TestUnseenAndConcerns(t *testing.T) {
	c := Changed{After: fleet.Member{}}
	c.After.Plan.Environment = "prod"
	c.Needs = Needs{Unlocked: errors.New("no\ndigest"), Had: lock.New("prod", nil, nil), Notes: []string{"a lot of text"}}
	effects := Effects{Unseen: errors.New("no chart"), Findings: []finding.Finding{{ID: "image-tag", Severity: finding.Warning, Message: "m"}, {ID: "fyi", Severity: finding.Info},
		{ID: "removed-api", Severity: finding.Error, Message: "gone", Fix: "take another", File: "prod.yaml", Line: 7}, {ID: "bad", Severity: finding.Error, Message: "b"}}}
	want := []proposal.Unseen{{What: "the changes in the cluster of prod", Why: "no chart"}}
	if diff := cmp.Diff(want, c.unseen(effects)); diff != "" {
		t.Errorf("unseen (-want +got):\n%s", diff)
	}
	concerns := []proposal.Concern{{Risk: proposal.Caution, Why: "a lot of text"}, {Risk: proposal.Caution, Why: "check image-tag: m"}}
	if diff := cmp.Diff(concerns, c.concerns(effects)); diff != "" {
		t.Errorf("concerns of an environment without a lock (-want +got):\n%s", diff)
	}
	actions := []proposal.Action{{Text: "check removed-api: gone: take another", File: "prod.yaml", Line: 7}, {Text: "check bad: b"}}
	if diff := cmp.Diff(actions, effects.actions()); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	c.Needs.Unseen = errors.New("401")
	want = append([]proposal.Unseen{{What: "the images and charts of prod", Why: "401"}}, want...)
	if diff := cmp.Diff(want, c.unseen(effects)); diff != "" {
		t.Errorf("unseen (-want +got):\n%s", diff)
	}
}

// A signature is wrong, missing or not looked at only where the text says so.
func TestSignature(t *testing.T) {
	for said, want := range map[string]proposal.Signature{
		"":                         {State: proposal.NoRule},
		"verified: key":            {State: proposal.Signed, By: "key"},
		"verified: a, verified: b": {State: proposal.Signed, By: "a, b"},
		"verified: a, none":        {State: proposal.SignatureUnknown, Why: "it has none, and the rule does not require one"},
		"not checked: keyless;":    {State: proposal.SignatureUnknown, Why: "not checked: keyless;"},
		"none":                     {State: proposal.SignatureUnknown, Why: "it has none, and the rule does not require one"},
	} {
		if got := signature(said); got != want {
			t.Errorf("signature(%q) = %v, want %v", said, got, want)
		}
	}
}
