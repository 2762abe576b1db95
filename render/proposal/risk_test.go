package proposal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/proposal"
)

// TestRisk: what is in the way of a merge is a blocker, and what a person must see is a
// risk; what is not known is no routine.
func TestRisk(t *testing.T) {
	service := document("prefect-cloud", "apiVersion: v1\nkind: Service\nmetadata: {name: old, namespace: prefect}\n", false)
	secret := document("prefect-cloud", "apiVersion: v1\nkind: Secret\nmetadata: {name: old, namespace: prefect}\n", false)
	for name, test := range map[string]struct {
		change  func(*proposal.Patch)
		risk    proposal.Risk
		blocked bool
		verdict string // begins the body
	}{
		"nothing":             {func(*proposal.Patch) {}, proposal.Routine, false, "**Routine.**"},
		"no mirror":           {func(p *proposal.Patch) { p.Versions[0].Mirror.State = proposal.NoMirror }, proposal.Routine, false, "**Routine.**"},
		"edited":              {func(p *proposal.Patch) { p.Actions = []proposal.Action{{Text: "a", Edited: true}} }, proposal.Routine, false, "**Routine.**"},
		"mirror lacks it":     {func(p *proposal.Patch) { p.Versions[0].Mirror.State = proposal.NotMirrored }, proposal.Routine, true, "**Blocked.**"},
		"mirror has another":  {func(p *proposal.Patch) { p.Versions[0].Mirror.State = proposal.OtherDigest }, proposal.Routine, true, "**Blocked.**"},
		"mirror not asked":    {func(p *proposal.Patch) { p.Versions[0].Mirror = proposal.Mirror{Why: "503"} }, proposal.Routine, true, "**Blocked.**"},
		"no signature":        {func(p *proposal.Patch) { p.Versions[0].Signature.State = proposal.NotSigned }, proposal.Routine, true, "**Blocked.**"},
		"another reason":      {func(p *proposal.Patch) { p.Blocked = []string{"staging has not run it"} }, proposal.Routine, true, "**Blocked.**"},
		"signature not asked": {func(p *proposal.Patch) { p.Versions[0].Signature.State = proposal.SignatureUnknown }, proposal.Caution, false, "**Needs a look.**"},
		"not compared":        {func(p *proposal.Patch) { p.Unseen = []proposal.Unseen{{What: "a", Why: "b"}} }, proposal.Caution, false, "**Needs a look.**"},
		"to do":               {func(p *proposal.Patch) { p.Actions = []proposal.Action{{Text: "a"}} }, proposal.Caution, false, "**Needs a change.**"},
		"deletes":             {func(p *proposal.Patch) { p.Changes = compare([]diff.Document{service}, nil) }, proposal.Caution, false, "**Needs a look.**"},
		"loses data":          {func(p *proposal.Patch) { p.Changes = compare([]diff.Document{secret}, nil) }, proposal.Breaking, false, "**Breaking.**"},
		"said to break":       {func(p *proposal.Patch) { p.Concerns = []proposal.Concern{{Risk: proposal.Breaking, Why: "b"}} }, proposal.Breaking, false, "**Breaking.**"},
		"both": {func(p *proposal.Patch) {
			p.Blocked, p.Concerns = []string{"a"}, []proposal.Concern{{Risk: proposal.Breaking, Why: "b"}}
		}, proposal.Breaking, true, "**Blocked and breaking.**"},
	} {
		p := routine()
		test.change(&p)
		risk, _ := p.Risk()
		if risk != test.risk || (len(p.Blockers()) > 0) != test.blocked {
			t.Errorf("%s: %s, blocked by %q", name, risk, p.Blockers())
		}
		if labels := p.Labels(); !slices.Contains(labels, "risk/"+string(test.risk)) || slices.Contains(labels, "blocked") != test.blocked {
			t.Errorf("%s: labels %q", name, labels)
		}
		body := p.Body(65_536)
		if !strings.HasPrefix(body, test.verdict) || strings.Contains(body, "pm-gitops mirror") != test.blocked {
			t.Errorf("%s: the body is\n%s", name, body)
		}
		if breaks := strings.HasPrefix(p.Title(), "fix(prefect/prod)!: "); breaks != (test.risk == proposal.Breaking) {
			t.Errorf("%s: title %q", name, p.Title())
		}
	}
}

// TestUnseen: no sentence says more than was looked at.
func TestUnseen(t *testing.T) {
	p := routine()
	p.Unseen = []proposal.Unseen{{What: "the manifests of worker", Why: "no chart"}}
	some := p.Body(65_536)
	p.Changes = diff.Result{}
	none := p.Body(65_536)
	for _, test := range []struct{ body, want string }{
		{some, "deletes nothing, **as far as it could be looked at**."}, {some, "- 1 wave without changes, as far as they could be looked at\n"},
		{some, "It does not undo migrations"}, {none, "What changes in the cluster is **unknown**."}, {none, "It does not undo migrations"},
	} {
		if !strings.Contains(test.body, test.want) {
			t.Errorf("no %q in\n%s", test.want, test.body)
		}
	}
	if strings.Contains(none, "without changes") || strings.Contains(none, "Nothing changes") {
		t.Errorf("nothing was looked at:\n%s", none)
	}
}

// TestLongTitle: a title names as many versions as it has room for.
func TestLongTitle(t *testing.T) {
	p := routine()
	for range 5 {
		p.Versions = append(p.Versions, p.Versions[0])
	}
	want := "fix(prefect/prod): server 2025.10.202511042343 -> 2025.10.202512010915, server 2025.10.202511042343 -> 2025.10.202512010915, server 2025.10.202511042343 -> 2025.10.202512010915 and 3 more"
	if got := p.Title(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Lacks.Drafts, p.Blocked = true, []string{"a"}
	if got := p.Title(); got != "[blocked] "+want || strings.Contains(p.Message(), "[blocked]") {
		t.Errorf("got %q", got)
	}
}

// TestGoneRelease: what a release leaves that is in no wave is in the body.
func TestGoneRelease(t *testing.T) {
	p := routine()
	p.Changes = compare([]diff.Document{document("worker", deployment("worker", "a:1"), false)}, nil)
	for _, want := range []string{"- Releases that go away: deletes `Deployment prefect/worker`\n", "<summary>Releases that go away: deletes 1 object</summary>", "- 2 waves without changes\n"} {
		if body := p.Body(65_536); !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
}

// TestLongCommand: a command that takes the room of the verdict is left out.
func TestLongCommand(t *testing.T) {
	p := blocked()
	p.MirrorCommand, p.DiffCommand = strings.Repeat("mirror ", 1000), strings.Repeat("diff ", 1000)
	if body := p.Body(4_000); !strings.Contains(body, "is not in the mirror") || strings.Contains(body, "mirror mirror") || !strings.Contains(body, "### Rollback") {
		t.Errorf("the body is\n%s", body)
	}
}
