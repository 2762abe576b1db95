package check

import (
	"fmt"
	"regexp"
	"strings"
)

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// inName is a version the way object names have it.
func inName(version string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToLower(version), "-"), "-")
}

var hashed = regexp.MustCompile(`(^|-)[0-9a-f]{8,}($|-)`)

func immutableJob(s *scope, r *release) {
	for _, o := range r.objects {
		if !o.is("Job") || o.Hook != nil || o.replaced() || at(o.tree, "spec", "ttlSecondsAfterFinished") != nil {
			continue
		}
		if name := inName(o.Name); hashed.MatchString(name) || strings.Contains(name, inName(r.Chart.Version())) || o.tagIn(name) {
			continue
		}
		if s.byHelm() && !r.makesAgain(o) {
			continue
		}
		f := o.finding("metadata.name", "the name has nothing of the version, and the template of a Job cannot be changed: the API server refuses the upgrade that brings another image")
		f.Fix = "let the chart put the version into the name, or make the Job a hook"
		s.add(f)
	}
}

// makesAgain reports whether an install and an upgrade make an object of one
// name. One that has the release's revision in it is another one each time.
func (r *release) makesAgain(o *object) bool {
	var install, upgrade bool
	for _, other := range r.objects {
		if other.Kind == o.Kind && other.Name == o.Name && other.namespace == o.namespace {
			install, upgrade = install || other.onInstall, upgrade || other.onUpgrade
		}
	}
	return install && upgrade
}

// replaced reports whether Argo CD makes the object anew instead of changing it.
func (o *object) replaced() bool {
	options := o.annotation("argocd.argoproj.io/sync-options")
	return strings.Contains(options, "Replace=true") && strings.Contains(options, "Force=true")
}

// tagIn reports whether a name has the tag of an image of the object, or what
// fits of it.
func (o *object) tagIn(name string) bool {
	for _, p := range o.pods() {
		for _, c := range p.Containers() {
			image := scalar(c.Spec["image"])
			tag := inName(image[strings.LastIndex(image, ":")+1:])
			if tag == "" {
				continue
			}
			for cut := len(tag); cut >= min(len(tag), 8); cut-- {
				if strings.HasSuffix(name, tag[:cut]) || strings.Contains(name, tag) {
					return true
				}
			}
		}
	}
	return false
}

func podRunsOnce(s *scope, r *release) {
	for _, o := range r.objects {
		policy := scalar(at(o.tree, "spec", "restartPolicy"))
		if !o.is("Pod") || o.Hook != nil || policy != "Never" && policy != "OnFailure" {
			continue
		}
		f := o.finding("spec.restartPolicy", "the pod runs to its end on the first install, and no upgrade runs it again")
		if s.Traits.AwaitsReadyPods {
			f.Message += fmt.Sprintf("; %s waits for it to be ready, and a pod that has ended never is", s.system())
		}
		f.Fix = "make the chart use a Job"
		s.add(f)
	}
}
