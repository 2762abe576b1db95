package check

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

const unusedID = "unused-ignore"

func environmentChecks() []Check {
	return []Check{{
		ID: "chart-fails", Severity: finding.Error,
		Title:  "The chart does not render",
		Why:    "A template that fails, a value that the chart's schema refuses or a document that is no YAML stops the controller too: nothing of the release is installed or upgraded.",
		Fix:    "Correct the values that the message names.",
		Source: "https://helm.sh/docs/topics/charts/#schema-files",
		each:   chartFails, unrendered: true,
	}, {
		ID: "refused-release", Severity: finding.Error,
		Title:  "The controller refuses what the chart makes",
		Why:    "Before Flux installs anything, it sends what a chart makes through kustomize. A key that is there twice, two objects with one name or an object without a name fail the whole install or upgrade, although `helm template` prints them. Flux 2.8.0 to 2.8.5 send hooks along.",
		Fix:    "Switch one of the two off in the chart's values, or take a version of the chart that makes one.",
		Source: "https://github.com/fluxcd/helm-controller/blob/v1.6.3/internal/postrender/transformer.go",
		each:   refusedRelease, unrendered: true,
	}, {
		ID: "chart-kube-version", Severity: finding.Error,
		Title:  "The chart wants another Kubernetes",
		Why:    "Helm refuses a chart whose kubeVersion the cluster does not fit.",
		Fix:    "Correct spec.cluster.kubeVersion, upgrade the cluster, or take another version of the chart.",
		Source: "https://helm.sh/docs/topics/charts/#the-kubeversion-field",
		each:   chartKubeVersion, unrendered: true,
	}, {
		ID: "environment-warning", Severity: finding.Warning,
		Title:  "Something in the environment is most likely not meant",
		Why:    "It is what `pm-gitops validate` warns of: versions that do not belong together, addresses without a scheme, and the like.",
		Fix:    "See the message.",
		Source: "https://github.com/pm-gitops/pm-gitops#the-environment-file",
		all:    environmentWarning,
	}, {
		ID: unusedID, Severity: finding.Info,
		Title:  "An accepted finding is none any more",
		Why:    "What nobody finds needs no acceptance, and one that is left behind hides the next finding of its kind. Those in files that are extended are not looked at: another environment may need them. An entry may be for the other target, too, and then it stays.",
		Fix:    "Take the entry out of spec.checks.ignore.",
		Source: "https://github.com/pm-gitops/pm-gitops#the-environment-file",
	}, {
		ID: "argo-project", Severity: finding.Error,
		Title:  "Argo CD's project does not allow a kind",
		Why:    "The AppProject of the environment allows the cluster-wide kinds that the vendor's releases and delivery.argo.clusterResources name, and nothing more: the sync of a release with another one fails.",
		Fix:    "Add the kind to delivery.argo.clusterResources, and apply the projects again before the release is synced.",
		Source: "https://argo-cd.readthedocs.io/en/stable/operator-manual/project-specification/",
		each:   argoProject,
	}}
}

func chartFails(s *scope, r *release) {
	var version chart.KubeVersionError
	var refused chart.RefusedError
	if r.Failure == nil || errors.As(r.Failure, &version) || errors.As(r.Failure, &refused) || len(r.judge().Refused) > 0 {
		return
	}
	f := r.finding("the chart does not render, and its objects were not checked: %s", oneLine(r.Failure))
	f.Fix = "correct the values that the message names"
	s.put(&f, s.valuesField(r))
	s.add(f)
}

// oneLine writes an error on a line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func refusedRelease(s *scope, r *release) {
	var refused chart.RefusedError
	var f finding.Finding
	switch older := s.Traits.CombinesHooks; {
	case errors.As(r.Failure, &refused):
		f = r.finding("%s%s", oneLine(refused), r.unchecked())
	case r.Failure == nil && older != "" && errors.As(r.Install.Combined(r.Rendered), &refused):
		f = r.finding("%s refuse the release, since they send hooks through kustomize together with all other manifests: %s", older, oneLine(errors.New(refused.Text)))
		f.Severity = finding.Warning
	default:
		return
	}
	f.Fix = "switch one of the two off in the chart's values, or take another version of the chart"
	s.put(&f, s.valuesField(r))
	s.add(f)
}

func chartKubeVersion(s *scope, r *release) {
	var version chart.KubeVersionError
	if !errors.As(r.Failure, &version) {
		return
	}
	f := r.finding("the chart wants Kubernetes %s, and the cluster has %s", version.Wanted, version.Got)
	if s.Plan.KubeVersion == "" {
		f.Message = fmt.Sprintf("the chart wants Kubernetes %s, and the environment does not say its version", version.Wanted)
	}
	f.Fix = map[bool]string{true: "set spec.cluster.kubeVersion", false: "upgrade the cluster, or correct spec.cluster.kubeVersion"}[s.Plan.KubeVersion == ""]
	if s.Environment.Spec.Cluster.Capabilities != "" {
		f.Fix = "upgrade the cluster and record it again (pm-gitops capabilities)"
	}
	f.Fix += ", or take another version of the chart"
	if numbers, _, suffixed := strings.Cut(version.Got, "-"); suffixed && chart.Fits(version.Wanted, numbers) {
		f.Message += fmt.Sprintf(": Helm takes what follows %s for a pre-release", numbers)
		f.Fix = fmt.Sprintf("take a version of the chart whose kubeVersion ends in -0, as %s-0 does", version.Wanted)
	}
	f.Message += r.unchecked()
	s.put(&f, "spec.cluster.kubeVersion")
	s.add(f)
}

// toldApart is the fields of warnings that a check of its own tells of.
func toldApart(field string) bool {
	return field == "spec.database" || field == "spec.redis" || strings.HasSuffix(field, ".clientVerifySSL")
}

func environmentWarning(s *scope) {
	plaintext := map[string]bool{}
	for _, found := range s.Environment.Plaintext() {
		plaintext[found.Path] = true
	}
	for _, warning := range s.Plan.Warnings {
		if !toldApart(warning.Path) && !plaintext[warning.Path] {
			s.add(finding.FromProblem(s.check.Severity, warning))
		}
	}
}

// allowed is kinds of an AppProject: group and kind are patterns
// (isResourceInList in pkg/apis/application/v1alpha1 of Argo CD).
type allowed []struct{ Group, Kind string }

func (kinds allowed) has(o *object) bool {
	for _, kind := range kinds {
		group, _ := path.Match(kind.Group, o.Group())
		if is, _ := path.Match(kind.Kind, o.Kind); is && group {
			return true
		}
	}
	return false
}

// allowedKinds is the cluster-wide kinds that the environment's AppProject
// allows; known is whether there is one.
func (s *scope) allowedKinds() (kinds allowed, known bool) {
	for _, manifest := range s.Manifests {
		for _, document := range strings.Split(string(manifest.YAML), "\n---\n") {
			var project struct {
				Kind     string
				Metadata struct{ Name string }
				Spec     struct {
					ClusterResourceWhitelist allowed
				}
			}
			if !strings.Contains(document, "kind: AppProject") || yaml.Unmarshal([]byte(document), &project) != nil || project.Metadata.Name != s.Plan.Environment {
				continue
			}
			known = true
			kinds = append(kinds, project.Spec.ClusterResourceWhitelist...)
		}
	}
	return kinds, known
}

const clusterResources = "spec.delivery.argo.clusterResources"

// resourcesNeeded gives the kinds that the environment lets its project allow, with
// all that any release needs besides, so that the fixes of several are one.
func (s *scope) resourcesNeeded(allowed allowed) []any {
	var all []any
	seen := map[string]bool{}
	add := func(group, kind string) {
		if !seen[group+"/"+kind] {
			seen[group+"/"+kind] = true
			all = append(all, map[string]any{"group": group, "kind": kind})
		}
	}
	for _, kind := range s.Environment.Spec.Delivery.Argo.ClusterResources {
		add(string(kind.Group), string(kind.Kind))
	}
	for _, r := range s.releases {
		for _, o := range r.objects {
			if o.namespace == "" && !allowed.has(o) {
				add(o.Group(), o.Kind)
			}
		}
	}
	return all
}

func argoProject(s *scope, r *release) {
	allowed, known := s.allowedKinds()
	seen := map[string]bool{}
	for _, o := range r.objects {
		id := o.Group() + "/" + o.Kind
		if !known || o.namespace != "" || allowed.has(o) || seen[id] {
			continue
		}
		seen[id] = true
		f := o.finding("kind", "the project of the environment does not allow the cluster-wide kind %s: Argo CD's sync of %s fails", o.Kind, r.Key)
		words := fmt.Sprintf("add {group: %q, kind: %s} to spec.delivery.argo.clusterResources", o.Group(), o.Kind)
		propose(&f, finding.Proposal{Field: clusterResources}, s.resourcesNeeded(allowed), words)
		f.Fix = words
		s.put(&f, clusterResources)
		s.add(f)
	}
}

// ignore marks the findings that the environment accepts, and gives findings
// of those entries that accept nothing.
func (s *scope) ignore(found []finding.Finding) []finding.Finding {
	s.check, _ = ByID(unusedID)
	s.found, s.added = nil, map[finding.Severity]int{}
	for i, entry := range s.Environment.Spec.Checks.Ignore {
		used := false
		for j := range found {
			if accepts(entry, found[j]) {
				used = true
				if found[j].Ignored == "" {
					found[j].Ignored = string(entry.Reason)
				}
			}
		}
		if field := fmt.Sprintf("spec.checks.ignore[%d]", i); !used && s.answers(entry, field) {
			f := finding.Finding{Message: fmt.Sprintf("nothing is found that the entry for %s accepts, unless for another target", entry.Check), Fix: "take the entry out"}
			s.put(&f, field)
			s.add(f)
		}
	}
	return s.found
}

// accepts reports whether an entry is about a finding.
func accepts(entry render.IgnoredCheck, f finding.Finding) bool {
	if string(entry.Check) != f.ID || entry.Release != "" && string(entry.Release) != f.Release {
		return false
	}
	if entry.Path != "" && string(entry.Path) != f.Setting {
		return false
	}
	return entry.Object == "" || f.Object != nil && entry.Object.Matches(f.Object.Kind, f.Object.Name)
}

// answers reports whether the run would have found what an entry accepts: it
// looked at the release, and the entry is the environment's own.
func (s *scope) answers(entry render.IgnoredCheck, field string) bool {
	at, own := s.Plan.Problem(field, "").Position, s.Plan.Problem("metadata.name", "").Position
	if at.File != own.File {
		return false
	}
	if entry.Release == "" {
		return len(s.releases) == len(s.Plan.Releases())
	}
	return slices.ContainsFunc(s.releases, func(r *release) bool { return r.Key == string(entry.Release) })
}
