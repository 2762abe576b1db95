package importer

import (
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
)

// mirror is where everything is pulled from, if that is not the vendor's
// registry: the chart's registry where it is known, and else that of both
// images. One of them alone says too little.
func (d *draft) mirror() string {
	base, fromChart := d.chartBase()
	if !fromChart {
		base = d.imageBase()
	}
	if base == render.VendorRegistry {
		return ""
	}
	return base
}

// guessedSecret names the Secret for pulling charts where the input names none.
const guessedSecret = "prefect-registry"

// pullsUnsaid reports whether charts come from the vendor's registry, which is private,
// and the input does not say with which login: values alone do not.
func (d *draft) pullsUnsaid() bool {
	for _, in := range d.in {
		if strings.Contains(in.chart, "/") || in.pullSecret != "" {
			return false
		}
	}
	return d.mirror() == ""
}

func (d *draft) chartBase() (string, bool) {
	for _, key := range []string{render.PrefectCloud, render.PrefectIstiod} {
		if in := d.in[key]; in != nil && !strings.Contains(in.chart, "://") {
			if base, ok := strings.CutSuffix(in.chart, "/charts/"+key); ok {
				return base, true
			}
		}
	}
	return "", false
}

// noteCharts says where charts will be pulled from, if nobody has said so.
func (d *draft) noteCharts(plan render.Plan) {
	if in := d.in[render.PrefectCloud]; in != nil && d.pullsUnsaid() {
		d.note(in.at, "", "nothing says how the charts are pulled from %s, which is private: spec.registry.pullSecret names a Secret to make (pm-gitops secrets list); take it out if the cluster's own identity may pull", render.VendorRegistry)
	}
	for _, release := range plan.Releases() {
		in := d.in[release.Key]
		switch {
		case in == nil:
		case strings.Contains(in.chart, "/") && in.chart != release.Chart.Repository:
			d.note(in.at, "", "the chart of %s comes from another place than an environment takes it from: have it at %s, too", in.object, release.Chart.Repository)
		case !strings.Contains(in.chart, "/") && d.mirror() != "":
			d.note(in.at, "", "the images come from a mirror (spec.registry.mirror), and so will the chart: have it at %s", release.Chart.Repository)
		}
	}
}

// imageBase is the part that the names of both images share.
func (d *draft) imageBase() string {
	repository := map[string]string{}
	for _, rule := range d.rules(render.PrefectCloud) {
		repository[rule.Field] = scalarText(get(d.in[render.PrefectCloud].values, string(rule.Path)))
	}
	server, ok := strings.CutSuffix(repository["images.server.repository"], "/server")
	ui, alsoOK := strings.CutSuffix(repository["images.ui.repository"], "/ui")
	if !ok || !alsoOK || server != ui {
		return ""
	}
	return server
}
