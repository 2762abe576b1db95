package render

import "strings"

// VendorRegistry is where the vendor's guide pulls images from; charts lie
// below it in charts/.
const VendorRegistry = "us-docker.pkg.dev/prefect-prd-customer-managed/cloud"

func (r Registry) source() string {
	if r.Source == "" {
		return VendorRegistry
	}
	return string(r.Source)
}

// Locate is where an image or chart is pulled from, by its name with host and
// without tag: from the mirror, if there is one.
func (r Registry) Locate(name string) string { return r.locate(name) }

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
