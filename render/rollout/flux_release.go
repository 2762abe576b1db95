package rollout

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// release is a release as its Flux Kustomization, OCIRepository and
// HelmRelease say: the first of them that holds it up says why.
func (f flux) release(planned render.Release) Release {
	release := f.view.release(planned)
	helm, exists := get[fluxObject](f.live, "HelmRelease", planned.Namespace, planned.Key)
	for _, one := range helm.Status.History {
		if one.Status == "deployed" || one.Status == "superseded" {
			release.Installed = chartVersion(one.ChartVersion, planned.Chart.Version)
			break
		}
	}
	wave := f.kustomization(planned.Key)
	switch held := f.held(planned, helm, exists, wave); {
	case held.State != Ready:
		release.Part = held
	case wave.State == Retrying && strings.HasPrefix(wave.Reason, "HealthCheckFailed"):
		// It healed since; Flux looks again within the retry interval.
		release.Part = Part{Name: planned.Key, State: Progressing, Reason: "it is ready; Flux takes notice of it within a minute"}
	default:
		release.Part = wave
	}
	return release
}

// held is what holds a release up below its Flux Kustomization, which comes
// first where it could not apply what is below it.
func (f flux) held(planned render.Release, helm fluxObject, exists bool, wave Part) Part {
	p := Part{Name: planned.Key}
	unhealthy := strings.HasPrefix(wave.Reason, "HealthCheckFailed")
	switch {
	case wave.State == Suspended, wave.State == Failed, wave.State == Retrying && !unhealthy:
		return wave
	case !exists && wave.State != Ready:
		return wave
	case !exists:
		p.State, p.Reason, p.Next = Waiting, fmt.Sprintf("there is no HelmRelease %s in namespace %q", planned.Key, planned.Namespace), f.push()
		return p
	case helm.Spec.Suspend:
		p.State, p.Reason = Suspended, "its HelmRelease is suspended"
		p.Next = fmt.Sprintf("flux resume helmrelease %s -n %s", planned.Key, planned.Namespace)
		return p
	}
	if where := f.differs("HelmRelease", planned.Namespace, planned.Key, "spec.chartRef", "spec.values", "spec.valuesFrom", "spec.releaseName"); where != "" {
		p.State, p.Next = Waiting, f.apply(wave)
		p.Reason = fmt.Sprintf("Flux has not applied the new commit: %s of the HelmRelease differs from what the environment says", say(where))
		return p
	}
	if source := f.chart(planned, wave); source.State != Ready {
		return source
	}
	return f.helm(planned, helm)
}

// helm is what a HelmRelease says of its own installs and upgrades.
func (f flux) helm(planned render.Release, helm fluxObject) Part {
	p := helm.judge(Part{Name: planned.Key})
	switch p.State {
	case Ready:
		if history := helm.Status.History; len(history) > 0 && chartVersion(history[0].ChartVersion, planned.Chart.Version) != planned.Chart.Version {
			p.State, p.Reason = Waiting, "the HelmRelease is ready with another version of the chart"
		}
	case Progressing:
		if helm.Status.Failures > 0 {
			p.Reason = fmt.Sprintf("%s (it failed %s before)", p.Reason, times(helm.Status.Failures))
		}
	case Failed:
		p.Next = fmt.Sprintf("end the cause, then: flux reconcile helmrelease %s -n %s --reset", planned.Key, planned.Namespace)
	case Retrying:
		p.Next = fmt.Sprintf(forMore+"kubectl -n %s describe helmrelease %s", planned.Namespace, planned.Key)
	}
	if next := f.secretAdvice(planned, p); next != "" {
		p.Next = next
	}
	return p
}

// chart is the OCIRepository of the version that is wanted.
func (f flux) chart(planned render.Release, wave Part) Part {
	p := Part{Name: planned.Key}
	name := f.chartName(planned)
	live, ok := get[fluxObject](f.live, "OCIRepository", planned.Namespace, name)
	if !ok {
		p.State, p.Reason, p.Next = Waiting, fmt.Sprintf("there is no OCIRepository %s in namespace %q", name, planned.Namespace), f.push()
		return p
	}
	if where := f.differs("OCIRepository", planned.Namespace, name, "spec.url", "spec.ref", "spec.secretRef", "spec.certSecretRef"); where != "" {
		p.State, p.Next = Waiting, f.apply(wave)
		p.Reason = fmt.Sprintf("Flux has not applied the new commit: %s of OCIRepository %s differs", where, name)
		return p
	}
	switch p = live.judge(p); p.State {
	case Suspended:
		p.Reason, p.Next = "its OCIRepository is suspended", fmt.Sprintf("flux resume source oci %s -n %s", name, planned.Namespace)
	case Retrying, Failed:
		p.Reason = "the chart cannot be pulled: " + p.Reason
		p.Next = or(registryAdvice(planned, p.Reason), fmt.Sprintf(forMore+"kubectl -n %s describe ocirepository %s", planned.Namespace, name))
	case Progressing:
		p.Reason = "the chart is being pulled: " + p.Reason
	}
	return p
}

// chartName is the OCIRepository that the rendered HelmRelease takes its chart from.
func (f flux) chartName(planned render.Release) string {
	type ref struct {
		Spec struct {
			ChartRef reference `json:"chartRef"`
		} `json:"spec"`
	}
	wanted, _ := get[ref](f.wanted, "HelmRelease", planned.Namespace, planned.Key)
	return wanted.Spec.ChartRef.Name
}

// chartVersion takes away what Flux puts behind a version: the start of the
// digest, as build metadata.
func chartVersion(version, wanted string) string {
	if version == wanted || strings.HasPrefix(version, wanted+"+") || strings.HasPrefix(version, wanted+".") && strings.Contains(wanted, "+") {
		return wanted
	}
	plain, _, _ := strings.Cut(version, "+")
	return say(plain)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
