package importer

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/strvals"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// application takes the sources of an Application of Argo CD that are charts
// of the vendor, and gives how many there are.
func (r *reader) application(object *value, said string) int {
	meta, spec := object.Get("metadata"), object.Get("spec")
	sources := list(spec.Get("sources"))
	if source := spec.Get("source"); !source.IsNull() {
		sources = append(sources, source)
	}
	found := 0
	for _, source := range sources {
		helm := source.Get("helm")
		in := installed{object: "Application " + scalarText(meta.Get("namespace")) + "/" + scalarText(meta.Get("name")), at: source.Position,
			name: first(scalarText(helm.Get("releaseName")), scalarText(meta.Get("name"))), namespace: scalarText(spec.Get("destination").Get("namespace")),
			version: scalarText(source.Get("targetRevision")), destination: spec.Get("destination")}
		name := r.argoChart(&in, source)
		if ran := scalarText(object.Get("status").Get("sync").Get("revision")); len(sources) == 1 && ran != "" && render.ChartVersion(in.version).Validate() != nil {
			in.version = ran
		}
		if helm.IsNull() && name == "" {
			continue // a source of value files, or of plain manifests
		}
		if in.key = whose(said, name); in.key == "" {
			continue
		}
		found++
		r.fromArgo = true
		r.argoValues(&in, helm)
		r.add(in)
	}
	if found == 0 {
		r.note(object.Position, "", "Application %s is not of %s or %s: not imported", scalarText(meta.Get("name")), render.PrefectCloud, render.PrefectIstiod)
	}
	return found
}

// argoChart finds where a source's chart is, and gives its name: a chart in a
// Git repository has one too.
func (r *reader) argoChart(in *installed, source *value) string {
	repo, chart := scalarText(source.Get("repoURL")), scalarText(source.Get("chart"))
	switch {
	case chart != "":
		in.chart = place(repo) + "/" + chart
	case strings.HasPrefix(repo, "oci://"):
		in.chart = place(repo)
	default:
		in.version = "" // that of the Git repository
		return strings.Trim(path.Base(scalarText(source.Get("path"))), "./")
	}
	return path.Base(in.chart)
}

// argoValues puts a source's values together as Argo CD does: valuesObject
// hides values, and parameters win over both
// (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-value-precedence).
func (r *reader) argoValues(in *installed, helm *value) {
	if in.values = helm.Get("valuesObject"); in.values.IsNull() {
		in.values = r.embedded(helm.Get("values"))
	}
	r.parameters(in, helm.Get("parameters"))
	for _, file := range list(helm.Get("valueFiles")) {
		r.note(file.Position, "helm.valueFiles", "what the value file says is not here: give it too, with a --from before this one")
	}
	if files := helm.Get("fileParameters"); !files.IsNull() {
		r.note(files.Position, "helm.fileParameters", "not imported: what the files say is not here")
	}
}

// embedded is the values that a text holds. All of them are where the text is.
func (r *reader) embedded(v *value) *value {
	if scalarText(v) == "" {
		return v
	}
	documents, problems := strictyaml.LoadAll(v.Position.File, []byte(v.Text))
	for _, problem := range problems {
		r.problem(v.Position, "helm.values", "%s", problem.Message)
	}
	if len(documents) == 0 {
		return nil
	}
	read := r.asHelm(documents[0])
	move(read, v.Position)
	return read
}

func move(v *value, to render.Position) {
	v.Position = to
	for i := range v.Entries {
		v.Entries[i].Position = to
		move(v.Entries[i].Value, to)
	}
	for _, item := range v.Items {
		move(item, to)
	}
}

// Limits of parameters: an index makes a list as long as it says.
const (
	maxParameters = 1000
	maxIndex      = 1000
)

var index = regexp.MustCompile(`\[([^\]]*)\]`)

// parameters lays --set and --set-string parameters over values, the latter
// last, as Helm does.
func (r *reader) parameters(in *installed, said *value) {
	parameters := list(said)
	if len(parameters) == 0 {
		return
	}
	if len(parameters) > maxParameters {
		r.problem(said.Position, "helm.parameters", "want at most %d parameters", maxParameters)
		return
	}
	if in.values == nil || in.values.IsNull() {
		in.values = &value{Position: said.Position, Kind: strictyaml.Mapping}
	}
	read, problems := strictyaml.Plain(in.values, "")
	values, isMap := read.(map[string]any)
	if problems != nil || !isMap {
		return // add says what is wrong
	}
	for _, asText := range []bool{false, true} {
		for _, parameter := range parameters {
			if (scalarText(parameter.Get("forceString")) == "true") == asText {
				r.parameter(values, parameter, asText)
			}
		}
	}
	in.values = r.rebuild(values, in.values, said.Position)
}

func (r *reader) parameter(values map[string]any, parameter *value, asText bool) {
	name, said := scalarText(parameter.Get("name")), scalarText(parameter.Get("value"))
	if strings.Contains(said, "$") { // its build environment: $ARGOCD_APP_NAME …
		r.problem(parameter.Position, "helm.parameters", "Argo CD replaces what begins with $ in a parameter: write down what it gives, under valuesObject")
		return
	}
	for _, m := range index.FindAllStringSubmatch(name, -1) {
		if i, err := strconv.Atoi(m[1]); err != nil || i < 0 || i > maxIndex {
			r.problem(parameter.Position, "helm.parameters", "want a list index from 0 to %d in the parameter's name", maxIndex)
			return
		}
	}
	parse := strvals.ParseInto
	if asText {
		parse = strvals.ParseIntoString
	}
	if err := parse(name+"="+escaped(said), values); err != nil {
		r.problem(parameter.Position, "helm.parameters", "Helm does not take this parameter") // its error may repeat the value
	}
}

// escaped is a parameter's value as Argo CD hands it to Helm: a comma begins
// nothing new, but in a list in braces.
func escaped(said string) string {
	if strings.HasPrefix(said, "{") && strings.HasSuffix(said, "}") {
		return said
	}
	var out strings.Builder
	before := rune(0)
	for _, r := range said {
		if r == ',' && before != '\\' {
			out.WriteRune('\\')
		}
		out.WriteRune(r)
		before = r
	}
	return out.String()
}
