package adopt

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// draft is an environment in the making.
type draft struct {
	in              map[string]*installed
	o               Options
	line            catalog.Line
	guesses         []string // the lines that fit the values, where no version tells
	hidden          []hidden
	dropped         []string        // fields that are left out
	left            map[string]bool // those of them that chart values say
	problems, notes render.Problems
}

// candidate is a field that the input could say.
type candidate struct {
	field string
	value *value
}

func newDraft(r reader, cat catalog.Catalog, o Options) (*draft, error) {
	d := &draft{in: r.releases, o: o, left: map[string]bool{}}
	if d.in[render.PrefectCloud] == nil {
		d.in[render.PrefectCloud] = &installed{key: render.PrefectCloud, values: &value{Kind: strictyaml.Mapping}}
	}
	if cloud, istiod := d.in[render.PrefectCloud], d.in[render.PrefectIstiod]; istiod != nil && istiod.name != "" && istiod.name == cloud.name && istiod.namespace == cloud.namespace {
		d.problem(istiod.at, "", "%s and %s are one Helm release here, %q in namespace %q, and cannot be in an environment: give %s another release name first", render.PrefectCloud, render.PrefectIstiod, istiod.name, istiod.namespace, render.PrefectIstiod)
		return nil, d.problems.Err()
	}
	return d, d.findLine(cat)
}

func (d *draft) problem(at render.Position, path, format string, args ...any) {
	d.problems = append(d.problems, render.Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...)})
}

func (d *draft) note(at render.Position, path, format string, args ...any) {
	d.notes = append(d.notes, render.Problem{Position: at, Path: path, Message: fmt.Sprintf(format, args...)})
}

// findLine takes the line of the chart's version or, where none is known, the
// one whose layout has the most of the values: the newest of several.
func (d *draft) findLine(cat catalog.Catalog) error {
	if version := d.version(render.PrefectCloud); version.Validate() == nil {
		line, _, err := cat.Find(render.PrefectCloud, version.Version())
		if err != nil {
			return fmt.Errorf("find the release line of prefect-cloud %s: %w", version, err)
		}
		if len(line.Layout) > 0 {
			d.line = line
			return nil
		}
	}
	most := 0
	for _, named := range cat.Lines {
		line, err := cat.Line(named.Name)
		if err != nil {
			return fmt.Errorf("find the release line: %w", err)
		}
		n := d.explains(line)
		if len(line.Layout) == 0 || n < most {
			continue
		}
		if n > most {
			d.guesses, most = nil, n
		}
		d.line, d.guesses = line, append(d.guesses, line.Name)
	}
	if d.guesses == nil {
		return fmt.Errorf("find the release line: the catalog has none with a layout")
	}
	return nil
}

// explains counts the values that a line's layout sets.
func (d *draft) explains(line catalog.Line) int {
	n := 0
	for _, rule := range line.Layout {
		if in := d.in[releaseOf(rule)]; in != nil && rule.Path != "" && get(in.values, string(rule.Path)) != nil {
			n++
		}
	}
	return n
}

func releaseOf(rule catalog.Rule) string { return first(rule.Release, render.PrefectCloud) }

// rules is the layout's rules for a release.
func (d *draft) rules(release string) []catalog.Rule {
	return slices.DeleteFunc(slices.Clone(d.line.Layout), func(r catalog.Rule) bool { return releaseOf(r) != release })
}

// version is the chart version that the options or the objects name. It may
// be a range.
func (d *draft) version(key string) render.ChartVersion {
	said := d.o.PrefectCloud
	if key == render.PrefectIstiod {
		said = d.o.PrefectIstiod
	}
	if in := d.in[key]; said == "" && in != nil {
		said = render.ChartVersion(in.version)
	}
	return said
}

// candidates is every field that the input could say, in no order.
func (d *draft) candidates() []candidate {
	var all []candidate
	say := func(field, text string) {
		if text != "" {
			all = append(all, candidate{field, textValue(text, render.Position{})})
		}
	}
	for _, rule := range d.line.Layout {
		all = append(all, d.inverse(rule)...)
	}
	say("versions.prefectCloud", string(d.version(render.PrefectCloud)))
	say("versions.prefectIstiod", string(d.version(render.PrefectIstiod)))
	say("registry.mirror", d.mirror())
	for _, key := range []string{render.PrefectCloud, render.PrefectIstiod} {
		in := d.in[key]
		if in == nil {
			continue
		}
		names := render.DefaultNames(key)
		if in.name != string(names.Release) {
			say("names."+key+".release", in.name)
		}
		if in.namespace != string(names.Namespace) {
			say("names."+key+".namespace", in.namespace)
		}
		say("registry.pullSecret", in.pullSecret)
		say("registry.caSecret", in.caSecret)
		if server := text(in.destination.Get("server")); server != "https://kubernetes.default.svc" {
			say("delivery.argo.destination.server", server)
		}
		say("delivery.argo.destination.name", text(in.destination.Get("name")))
	}
	return all
}

// inverse is what the values say of the fields of a rule.
func (d *draft) inverse(rule catalog.Rule) []candidate {
	in := d.in[releaseOf(rule)]
	if in == nil {
		return nil
	}
	if rule.Set != nil {
		return d.inverseSet(rule, in)
	}
	v := get(in.values, string(rule.Path))
	switch {
	case v == nil || rule.Path == "" || d.otherProvider(rule.Field):
		return nil
	case isSecretRef(rule.Field):
		h, secret := d.secretAt(in.key, string(rule.Path))
		if !secret {
			return nil
		}
		v = refValue(h.ref, h.at)
	}
	if f, ok := known(rule.Field); !ok || f.name != rule.Field {
		return nil // computed, such as auth.type
	}
	return []candidate{{rule.Field, v}}
}

// inverseSet takes a condition NAME=VALUE as said if all that it sets is
// there. Conditions of other forms follow from fields.
func (d *draft) inverseSet(rule catalog.Rule, in *installed) []candidate {
	for path, want := range rule.Set {
		v := get(in.values, path)
		if v == nil {
			return nil
		}
		if got, _ := strictyaml.Plain(v, ""); !reflect.DeepEqual(got, want) {
			return nil
		}
	}
	var said []candidate
	for _, condition := range rule.When {
		switch {
		case !condition.Equal || condition.Not:
		case condition.Field == "mesh" && d.in[render.PrefectIstiod] == nil,
			// Secrets among the values would not reach the chart any more.
			condition.Field == "secrets.into" && !slices.ContainsFunc(d.hidden, d.isField):
			said = append(said, candidate{condition.Field, textValue(condition.Value, in.at)})
		}
	}
	return said
}

// isField reports whether a field of the environment says a secret.
func (d *draft) isField(h hidden) bool {
	return slices.ContainsFunc(d.rules(h.release), func(r catalog.Rule) bool { return string(r.Path) == h.path && isSecretRef(r.Field) })
}

// otherProvider reports whether a field is about an identity provider that is
// not the one in use: the one that the values name, or the only one in them.
func (d *draft) otherProvider(field string) bool {
	if !within(field, "auth") || field == "auth.type" {
		return false
	}
	providers := map[string]bool{}
	for _, rule := range d.rules(render.PrefectCloud) {
		v := get(d.in[render.PrefectCloud].values, string(rule.Path))
		switch steps := strings.Split(rule.Field, "."); {
		case v == nil || rule.Path == "":
		case rule.Field == "auth.type":
			return text(v) != strings.Split(field, ".")[1]
		case steps[0] == "auth":
			providers[steps[1]] = true
		}
	}
	return len(providers) > 1
}

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

func (d *draft) chartBase() (string, bool) {
	for _, key := range []string{render.PrefectCloud, render.PrefectIstiod} {
		if in := d.in[key]; in != nil {
			if base, ok := strings.CutSuffix(in.chart, "/charts/"+key); ok {
				return base, true
			}
		}
	}
	return "", false
}

// noteCharts says where charts will be pulled from, if nobody has said so.
func (d *draft) noteCharts(plan render.Plan) {
	for _, release := range plan.Releases() {
		in := d.in[release.Key]
		switch {
		case in != nil && in.chart != "" && in.chart != release.Chart.Repository:
			d.note(in.at, "", "the chart of %s comes from another place than an environment takes it from: have it at %s, too", in.object, release.Chart.Repository)
		case in != nil && in.chart == "" && d.mirror() != "":
			d.note(in.at, "", "the images come from a mirror (spec.registry.mirror), and so will the chart: have it at %s", release.Chart.Repository)
		}
	}
}

// imageBase is the part that the names of both images share.
func (d *draft) imageBase() string {
	repository := map[string]string{}
	for _, rule := range d.rules(render.PrefectCloud) {
		repository[rule.Field] = text(get(d.in[render.PrefectCloud].values, string(rule.Path)))
	}
	server, ok := strings.CutSuffix(repository["images.server.repository"], "/server")
	ui, alsoOK := strings.CutSuffix(repository["images.ui.repository"], "/ui")
	if !ok || !alsoOK || server != ui {
		return ""
	}
	return server
}
