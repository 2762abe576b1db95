package check

import (
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

func meshChecks() []Check {
	return []Check{{
		ID: "hook-sidecar", Severity: finding.Warning,
		Title:  "A Job gets a sidecar that keeps it running",
		Why:    "In a namespace that Istio injects, a Job's pod gets a proxy that does not end with the Job's own container, so the Job never completes, and whoever waits for it waits for ever. Istio from 1.27 uses native sidecars where the kubelet of every node is at least 1.33, and these do end, unless they are switched off: what the cluster does nobody can see from here.",
		Fix:    "Put the label sidecar.istio.io/inject: \"false\" on the Job's pods, in the chart's values.",
		Source: "https://github.com/istio/istio/issues/11045",
		each:   hookSidecar,
	}, {
		ID: "gateway-auto-image", Severity: finding.Error,
		Title:  "A gateway starts before there is an injector",
		Why:    "Istio's injector replaces the image auto when a pod is made. Without it, or before its webhook exists, the pod asks a registry for an image of that name, and is not made again by itself.",
		Fix:    "Install the gateway in a later wave than istiod (needs), and in a namespace that is injected.",
		Source: "https://istio.io/latest/docs/setup/additional-setup/gateway/",
		each:   gatewayAutoImage,
	}}
}

// injected reports whether Istio's injector looks at a namespace.
func (s *scope) injected(namespace string) bool {
	for _, n := range s.Plan.Namespaces {
		if n.Name == namespace {
			return n.Labels["istio-injection"] == "enabled" || n.Labels["istio.io/rev"] != ""
		}
	}
	return false
}

// inject returns what a pod says of its sidecar; the label wins
// (https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy).
func (p pod) inject() string {
	const key = "sidecar.istio.io/inject"
	if label := scalar(p.Labels[key]); label != "" {
		return label
	}
	return scalar(p.Annotations[key])
}

func hookSidecar(s *scope, r *release) {
	for _, o := range r.objects {
		if !o.is("Job") && (!o.is("Pod") || o.Hook == nil) || o.tests() || !s.injected(o.namespace) {
			continue
		}
		for _, p := range o.pods() {
			if p.inject() == "false" || p.Spec["hostNetwork"] == true {
				continue
			}
			f := o.finding(strings.TrimPrefix(strings.TrimSuffix(p.Path, "spec")+"metadata.labels", "."), "namespace %s is injected, and the pod gets a proxy that may never end: then the %s never completes (Istio before 1.27, a node before Kubernetes 1.33, or native sidecars switched off)", o.namespace, o.Kind)
			f.Fix = `label the pod sidecar.istio.io/inject: "false"`
			s.add(f)
		}
	}
}

// injector finds the release with the webhook of Istio's injector.
func (s *scope) injector() *release {
	for _, r := range s.releases {
		for _, o := range r.objects {
			if !o.is("MutatingWebhookConfiguration") {
				continue
			}
			for _, webhook := range list(at(o.tree, "webhooks")) {
				if strings.HasSuffix(scalar(at(webhook, "name")), "sidecar-injector.istio.io") {
					return r
				}
			}
		}
	}
	return nil
}

// proposeNeed proposes that a release comes after another one, where the
// environment says so: the vendor's releases under spec.needs, others themselves.
func (s *scope) proposeNeed(f *finding.Finding, r *release, key string) {
	field, needs := "spec.needs."+r.Key, s.Environment.Spec.Needs[r.Key]
	for i, extra := range s.Environment.Spec.Releases {
		if string(extra.Name) == r.Key {
			field, needs = fmt.Sprintf("spec.releases[%d].needs", i), extra.Needs
		}
	}
	if r.Key == key {
		return // it is the injector's own
	}
	var all []any
	for _, need := range needs {
		all = append(all, string(need))
	}
	words := f.Fix
	propose(f, finding.Proposal{Field: field}, append(all, key), words)
	f.Fix = words
	s.put(f, field)
}

func gatewayAutoImage(s *scope, r *release) {
	injector := s.injector()
	for _, o := range r.objects {
		for _, p := range o.pods() {
			for _, c := range p.Containers() {
				if scalar(c.Spec["image"]) != "auto" {
					continue
				}
				f := o.finding(c.Path+".image", "")
				switch mode := s.Environment.Spec.Mesh.Mode; {
				case mode == render.MeshNone && injector == nil && s.partial():
					continue // another release may bring one
				case mode == render.MeshNone && injector == nil:
					f.Message, f.Fix = "spec.mesh is none: without an injector the pod pulls an image named auto, which no registry has", "switch the gateway off in the chart's values, or give spec.mesh another word than none"
					s.put(&f, "spec.mesh")
				case injector != nil && injector.wave >= r.wave:
					f.Message, f.Fix = "the gateway comes in the wave of the injector ("+injector.Key+"): its pods may be made before the webhook, and then ask a registry for the image auto for ever", "let its release need "+injector.Key
					s.proposeNeed(&f, r, injector.Key)
				case p.inject() == "false" || p.inject() != "true" && !s.injected(o.namespace):
					f.Message, f.Fix = "neither the pod nor the namespace "+o.namespace+" asks for injection: the injector does not replace the image auto, which no registry has", `label the pod sidecar.istio.io/inject: "true"`
				default:
					continue
				}
				s.add(f)
			}
		}
	}
}
