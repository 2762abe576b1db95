package render

import (
	"strings"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

// VendorRegistry is where the vendor's guide pulls images from; charts lie
// below it in charts/.
const VendorRegistry = "us-docker.pkg.dev/prefect-prd-customer-managed/cloud"

func (r Registry) source() string {
	if r.Source == "" {
		return VendorRegistry
	}
	return string(r.Source)
}

// locate is where something of a registry is pulled from: with a mirror, what
// follows the source is kept below the mirror, and names of other hosts get
// the mirror as prefix. What is on the mirror's host already stays.
func (r Registry) locate(name string) string {
	if r.Mirror == "" {
		return name
	}
	mirror := string(r.Mirror)
	if rest, ok := strings.CutPrefix(name, r.source()+"/"); ok {
		return mirror + "/" + rest
	}
	if host, _, _ := strings.Cut(mirror, "/"); strings.HasPrefix(name, host+"/") {
		return name
	}
	return mirror + "/" + name
}

// Mirror is where an environment pulls everything from, or empty.
func (p Plan) Mirror() string { return string(p.env.Spec.Registry.Mirror) }

// Mirrored is where an image or a chart, named without tag, is pulled from:
// what follows the registry's source is kept below the mirror, and names of
// other hosts get the mirror as prefix. Without a mirror, and for what is on
// the mirror's host already, it is the name.
func (p Plan) Mirrored(name string) string { return p.env.Spec.Registry.locate(name) }

// Original undoes [Plan.Mirrored]: it is where the image or chart comes from
// that is pulled from name. It reports whether that is known: it is not for
// what is on the mirror's host but not below the mirror.
func (p Plan) Original(name string) (string, bool) {
	registry := p.env.Spec.Registry
	mirror := string(registry.Mirror)
	if mirror == "" {
		return name, true
	}
	rest, isBelow := strings.CutPrefix(name, mirror+"/")
	host, _, _ := strings.Cut(mirror, "/")
	switch {
	case !isBelow:
		return name, !strings.HasPrefix(name, host+"/")
	case ref.HasHost(rest):
		return rest, true
	default:
		return registry.source() + "/" + rest, true
	}
}
