package proposal_test

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/proposal"
)

const (
	serverDigest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	uiDigest     = "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
	otherDigest  = "sha256:fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"
)

// deployment is a Deployment as a chart makes it.
func deployment(name, image string) string {
	return fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: prefect}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: %[1]s}}\n  template:\n    metadata: {labels: {app: %[1]s}}\n    spec:\n      containers:\n      - {name: main, image: %q}\n", name, image)
}

func migration(image string) string {
	return fmt.Sprintf("apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, namespace: prefect}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: main, image: %q}\n", image)
}

// document is an object of a release of prod.
func document(release, yaml string, hook bool) diff.Document {
	return diff.Document{Within: "prod " + release, Source: "templates/" + release + ".yaml", Namespace: "prefect", Hook: hook, YAML: []byte(yaml)}
}

// compare compares as the command upgrade does.
func compare(old, new []diff.Document) diff.Result {
	return diff.Compare(old, new).Effects(render.ByHelm).Settled(true)
}

// routine is the weekly case: a new server, mirrored and signed.
func routine() proposal.Patch {
	const image = "registry.company.com/prefect/server:"
	side := func(tag string) []diff.Document {
		return []diff.Document{
			document("prefect-cloud", deployment("server", image+tag), false), document("prefect-cloud", deployment("scheduler", image+tag), false),
			document("prefect-cloud", migration(image+tag), true), document("prefect-istiod", deployment("istiod", "registry.company.com/prefect/pilot:1.28"), false),
		}
	}
	return proposal.Patch{
		Environment: "prod", Line: "2025.10", File: "environments/prod.yaml",
		Versions: []proposal.Version{{
			What: "server", From: "2025.10.202511042343", To: "2025.10.202512010915", Digest: serverDigest,
			Mirror: proposal.Mirror{State: proposal.Mirrored}, Signature: proposal.Signature{State: proposal.Signed, By: "vendor"},
		}},
		Waves: []proposal.Wave{
			{Releases: []proposal.Release{{Key: "prefect-istiod", Within: "prod prefect-istiod"}}},
			{Releases: []proposal.Release{{Key: "prefect-cloud", Within: "prod prefect-cloud", Migrations: "1h0m0s"}}},
		},
		Gate:          "Flux starts a wave when every release of the wave before is ready",
		Graph:         "flowchart LR\n  a[\"prefect-istiod\"] --> b[\"prefect-cloud\"]\n",
		Changes:       compare(side("2025.10.202511042343"), side("2025.10.202512010915")),
		Merging:       []string{"The forge merges it by itself on Sat between 02:00 and 06:00 UTC"},
		MirrorCommand: "pm-gitops mirror -f environments/prod.yaml --lock",
		DiffCommand:   "pm-gitops diff --manifests -f environments/prod.yaml --base HEAD~1",
	}
}

// blocked has things that no mirror has as yet, and some that could not be looked at.
func blocked() proposal.Patch {
	p := routine()
	p.Versions[0].Mirror = proposal.Mirror{State: proposal.NotMirrored}
	p.Versions[0].Signature = proposal.Signature{State: proposal.SignatureUnknown, Why: "registry.company.com answers 503"}
	p.Versions = append(p.Versions, proposal.Version{
		What: "ui", From: "2025.1023.154520", To: "2025.1023.160000", Digest: uiDigest,
		Mirror: proposal.Mirror{State: proposal.OtherDigest, Digest: otherDigest},
	})
	p.Changes = diff.Result{}
	p.Unseen = []proposal.Unseen{{What: "what changes in the cluster", Why: "oci://registry.company.com/prefect/charts/prefect-cloud answers 403"}}
	p.Merging = nil
	return p
}

// breaking loses data, is refused in part, and needs a person, on a forge that lacks much.
func breaking() proposal.Patch {
	p := routine()
	claim := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: prefect}\n"
	old := []diff.Document{document("prefect-cloud", claim, false), document("prefect-cloud", deployment("server", "a:1"), false)}
	changed := strings.Replace(deployment("server", "a:2"), "matchLabels: {app: server}", "matchLabels: {app: api}", 1)
	p.Changes = compare(old, []diff.Document{document("prefect-cloud", changed, false)})
	p.Versions = []proposal.Version{{What: "chart", From: "1.2.900", To: "1.2.901", Mirror: proposal.Mirror{State: proposal.NoMirror}}}
	p.Actions = []proposal.Action{
		{Text: "services.server.replicas moved to server.replicas", File: "environments/prod.yaml", Line: 71, Edited: true},
		{Text: "set values.prefect-cloud.smtp.host: the chart requires it", File: "environments/prod.yaml", Line: 70},
	}
	p.Defaults = []proposal.Default{{Release: "prefect-cloud", Key: "server.resources.limits.memory", From: "1Gi", To: "2Gi"}}
	p.Lacks = proposal.Lacks{Labels: true, Drafts: true, Folding: true, Mermaid: true}
	return p
}

// large is more than any forge takes.
func large() proposal.Patch {
	p := routine()
	var old, new []diff.Document
	for i := range 1000 {
		text := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%04d, namespace: prefect}\ndata:\n  a: |\n", i)
		for line := range 50 {
			text += fmt.Sprintf("    line %d of many that are there\n", line)
		}
		old = append(old, document("prefect-cloud", text, false))
		new = append(new, document("prefect-cloud", strings.ReplaceAll(text, "many", "some"), false))
	}
	new = append(new, document("prefect-istiod", deployment("istiod", "pilot:2"), false))
	p.Changes = compare(old, new)
	for i := range 300 {
		p.Actions = append(p.Actions, proposal.Action{Text: fmt.Sprintf("set value %d", i), File: "environments/prod.yaml", Line: i + 1, Edited: i%2 == 0})
		p.Waves = append(p.Waves, proposal.Wave{Releases: []proposal.Release{{Key: fmt.Sprintf("worker-%d", i), Within: fmt.Sprintf("prod worker-%d", i)}}})
		p.Blocked = append(p.Blocked, fmt.Sprintf("registry.company.com/prefect/image-%d:1 is not in the mirror", i))
		p.Concerns = append(p.Concerns, proposal.Concern{Risk: proposal.Caution, Why: fmt.Sprintf("check load-balancer: Service s%d has no address", i)})
		p.Merging = append(p.Merging, fmt.Sprintf("It waits for environment e%d", i))
		p.Defaults = append(p.Defaults, proposal.Default{Release: "prefect-cloud", Key: fmt.Sprintf("a.b%d", i), From: "1", To: "2"})
	}
	return p
}

// change is an ordinary change of two environments.
func change() proposal.Change {
	files := func(image string) []diff.Document {
		return []diff.Document{{Within: "clusters/prod/values.yaml", Source: "clusters/prod/values.yaml", YAML: []byte("image: " + image + "\n")}}
	}
	return proposal.Change{
		Subject: "fix(prefect): server 2025.10.1 -> 2025.10.2 in 2 environments",
		Environments: []proposal.Environment{
			{Name: "prod", File: "environments/prod.yaml", Summary: "0 created, 1 updated, 0 removed", Versions: []proposal.Version{{What: "server", From: "2025.10.1", To: "2025.10.2"}}},
			{Name: "staging", File: "environments/staging.yaml", Summary: "2 created, 0 updated, 0 removed"},
		},
		Changes:     diff.Compare(files("2025.10.1"), files("2025.10.2")).Settled(true),
		DiffCommand: "pm-gitops diff -f environments/ --base HEAD~1",
	}
}
