package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

func imageChecks() []Check {
	return []Check{{
		ID: "registry-login", Severity: finding.Warning,
		Title:  "Charts come from a private registry, and no login is named",
		Why:    "The vendor's registry is private. If spec.registry.pullSecret names no Secret, Flux is told provider: gcp and pulls with the cluster's own identity; outside Google Cloud, or without the right to read there, no chart is pulled. Argo CD needs a repository Secret of its own. Of other registries it is not known whether they are private.",
		Fix:    "Name a Secret in spec.registry.pullSecret; pm-gitops secrets list shows its form. If the cluster's identity may pull, accept the finding under spec.checks.ignore.",
		Source: "https://docs-customer-managed.prefect.io/overview/deploying-customer-managed",
		all:    registryLogin,
	}, {
		ID: "missing-pull-secret", Severity: finding.Warning,
		Title:  "A pod does not name the registry's pull secret",
		Why:    "registry.pullSecret is for charts; whether pods use it is up to the chart's values. A pod that does not, and whose ServiceAccount does not either, may not be able to pull its image.",
		Fix:    "Name the Secret in the chart's values (often imagePullSecrets), or on the ServiceAccount.",
		Source: "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
		each:   missingPullSecret, asks: asksPullSecret,
	}, {
		ID: "foreign-image", Severity: finding.Error,
		Title:  "An image comes from elsewhere than the mirror",
		Why:    "registry.mirror says that everything is pulled from there. An image that is not will not be there once the network is closed, and nobody copied or scanned it. What no pod names counts too: injector templates, arguments, environment variables and ConfigMaps.",
		Fix:    "Set the chart value that names the image to its place on the mirror: what registry.map says, or else what follows registry.source, or else the whole name below the mirror.",
		Source: "https://github.com/pm-gitops/pm-gitops#the-environment-file",
		each:   foreignImage, asks: asksImage,
	}, {
		ID: "unpinned-image", Severity: finding.Warning,
		Title:  "An image has no tag, or latest",
		Why:    "What runs then depends on when a node pulled it: two pods of one release may differ, and no commit says what changed.",
		Fix:    "Set a tag, or better a digest, in the chart's values.",
		Source: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
		each:   unpinnedImage,
	}, {
		ID: "bad-image", Severity: finding.Error,
		Title:  "A container's image is no image reference",
		Why:    "The kubelet refuses the text, and the pod never starts. Usually a value that the reference is made of is empty or has a space in it.",
		Fix:    "Set the values that the reference is made of.",
		Source: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
		each:   badImage,
	}}
}

// images returns the images that the objects of a release need.
func (r *release) images() []images.Image {
	if !r.searched {
		r.searched = true
		var objects []chart.Object
		for _, o := range r.objects {
			own := o.Object
			own.Namespace = o.namespace
			objects = append(objects, own)
		}
		for _, later := range slices.Concat(r.Install.Later(), r.Upgrade.Later()) { // hooks of other actions
			if later.Namespace == "" {
				later.Namespace = r.Namespace
			}
			objects = append(objects, later)
		}
		result, _ := images.Find(objects) // an error is about more images than anybody has
		r.found = result.Images
	}
	return r.found
}

// imageFinding makes a finding at an image.
func (r *release) imageFinding(i images.Image, format string, args ...any) finding.Finding {
	f := r.finding(format, args...)
	f.Object = identify(i.Object.APIVersion, i.Object.Kind, i.Object.Namespace, i.Object.Name)
	f.Source, f.Field = i.Object.Source, i.Path
	return f
}

// ownRegistry gives the host that a pod pulls an image from, if the environment's
// own images come from there or from a mirror of its, or nothing.
func (s *scope) ownRegistry(p pod) string {
	source, _, _ := strings.Cut(cmp.Or(string(s.Environment.Spec.Registry.Source), render.VendorRegistry), "/")
	for _, c := range p.Containers() {
		image, err := ref.ParseImage(scalar(c.Spec["image"]))
		if err == nil && (s.Plan.IsMirrored(image.Name()) || s.Plan.Mirror() == "" && image.Host == source) {
			return image.Host
		}
	}
	return ""
}

func registryLogin(s *scope) {
	var pulled []string
	for _, r := range s.releases {
		if strings.HasPrefix(r.Release.Release.Chart.Repository, render.VendorRegistry+"/") && r.Release.Release.Chart.PullSecret == "" {
			pulled = append(pulled, r.Key)
		}
	}
	if pulled == nil {
		return
	}
	f := finding.Finding{Message: fmt.Sprintf("%s: the charts come from %s, which is private, and spec.registry.pullSecret names no login", strings.Join(pulled, ", "), render.VendorRegistry)}
	if how := s.Traits.LoginWithoutSecret; how != "" {
		f.Message += ": " + how
	}
	f.Fix = "name a Secret in spec.registry.pullSecret (pm-gitops secrets list shows its form)"
	s.put(&f, "spec.registry.pullSecret")
	s.add(f)
}

func foreignImage(s *scope, r *release) {
	mirror := s.Plan.Mirror()
	if mirror == "" {
		return
	}
	for _, i := range r.images() {
		if i.Problem != "" || s.Plan.IsMirrored(i.Reference.Name()) {
			continue
		}
		target := s.Plan.Mirrored(i.Reference.Name())
		f := r.imageFinding(i, "image %s does not come from the mirror %s", i.Written, mirror)
		switch {
		case i.Sure == images.Possible:
			f.Severity, f.Message = finding.Info, fmt.Sprintf("%s looks like an image, and does not come from the mirror %s", i.Written, mirror)
		case i.Hidden():
			f.Severity = finding.Warning
			f.Message += ", and no pod names it here"
		}
		f.Fix = "pull it from " + target
		s.proposeImage(&f, r, i, target)
		s.add(f)
	}
}

func unpinnedImage(s *scope, r *release) {
	for _, i := range r.images() {
		if i.Problem != "" || i.Sure == images.Possible || i.Reference.Digest != "" || i.Reference.Tag != "" && i.Reference.Tag != "latest" {
			continue
		}
		f := r.imageFinding(i, "image %s has no tag of its own: what runs depends on when it was pulled", i.Written)
		f.Fix = "set a tag or a digest"
		s.putTag(&f, r, i)
		s.add(f)
	}
}

// putTag says that the tag beside the value which names an image can change what was
// found, or else that value.
func (s *scope) putTag(f *finding.Finding, r *release, i images.Image) {
	written, _, _ := ref.Split(i.Written)
	named := s.putValue(f, r, func(at string, value any) bool {
		text := scalar(value)
		return text == i.Written || text == i.Reference.Name() || text != "" && namesImages(at) && strings.HasSuffix("/"+written, "/"+text)
	})
	s.putValue(f, r, func(at string, _ any) bool { return named.Path != "" && at == above(named.Path)+"tag" })
}

func badImage(s *scope, r *release) {
	for _, i := range r.images() {
		if i.Problem != "" && !i.Hidden() && !strings.Contains(i.Written, render.FillIn) {
			f := r.imageFinding(i, "%q is no image: %s", i.Written, i.Problem)
			f.Fix = "set the chart values that it is made of"
			s.add(f)
		}
	}
}

func missingPullSecret(s *scope, r *release) {
	secret := string(s.Environment.Spec.Registry.PullSecret)
	if secret == "" {
		return
	}
	for _, o := range r.objects {
		for _, p := range o.pods() {
			registry := s.ownRegistry(p)
			if registry == "" || names(p.Spec["imagePullSecrets"], secret) || s.accountNames(p, secret) {
				continue
			}
			f := o.finding(p.Path+".imagePullSecrets", "the pod pulls from %s, and neither it nor its ServiceAccount names the pull secret %s", registry, secret)
			s.proposeSecret(&f, r, secret)
			s.add(f)
		}
	}
}

// names reports whether a list of references has a name.
func names(references any, name string) bool {
	return slices.ContainsFunc(list(references), func(ref any) bool { return scalar(at(ref, "name")) == name })
}

// accountNames reports whether the ServiceAccount of a pod names a pull secret,
// or may.
func (s *scope) accountNames(p pod, secret string) bool {
	account := scalar(p.Spec["serviceAccountName"])
	if account == "" {
		account = "default"
	}
	for _, r := range s.releases {
		for _, o := range r.objects {
			if o.is("ServiceAccount") && o.namespace == p.namespace && o.Name == account {
				return names(o.tree["imagePullSecrets"], secret)
			}
		}
	}
	return s.partial() // another release may make it
}
