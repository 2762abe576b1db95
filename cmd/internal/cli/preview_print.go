package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// previewed is a release as it is printed.
type previewed struct {
	notes []string
	text  []byte
}

func (p previewed) Size() int { return len(p.text) }

// noteDifferences says where a preview must differ from what a controller does.
func noteDifferences(p planned, in chart.Input, out chart.Output) []string {
	var notes []string
	say := func(format string, args ...any) {
		notes = append(notes, fmt.Sprintf("note: "+format, args...))
	}
	if in.KubeVersion == "" {
		say("no spec.cluster.kubeVersion in %s: rendered for Kubernetes %s", p.plan.Environment, chart.DefaultKubeVersion)
	}
	if minor := apis.Minor(in.KubeVersion); minor > apis.Newest && in.APIs == nil {
		say("Kubernetes %s is newer than this program: its API versions are taken to be those of 1.%d", in.KubeVersion, apis.Newest)
	}
	if in.As.DigestInVersion && in.Digest == "" {
		say("%s: the digest of the chart is not known: .Chart.Version ends in +000000000000 here, where %s puts the first 12 characters of the digest", p.Key, in.As.Title)
	}
	for _, url := range out.Unread {
		say("%s: the chart's schema refers to %s, which was not read: anything is valid there", p.Key, url)
	}
	return append(notes, leftOut(p, out.Left)...)
}

// leftOut says which objects are not among those of a release, and why.
func leftOut(p planned, left []chart.Left) []string {
	var notes []string
	for _, l := range left {
		notes = append(notes, fmt.Sprintf("note: %s: %s %s is left out: %s", p.Key, l.Kind, l.Name, l.Why))
	}
	return notes
}

// printPreview prints the objects of releases, and what is said of several of
// them once.
func (a app) printPreview(o previewOptions, releases []previewed) error {
	var notes []string
	for _, r := range releases {
		notes = append(notes, r.notes...)
	}
	for _, note := range dropRepeated(notes) {
		a.err.Say("%s", note)
	}
	var texts [][]byte
	for _, r := range releases {
		if len(r.text) > 0 {
			texts = append(texts, r.text)
		}
	}
	if o.output != "json" {
		return a.out.Raw(texts...)
	}
	if texts == nil {
		return a.out.Raw([]byte("[]\n"))
	}
	return a.out.Raw([]byte("[\n"), bytes.Join(texts, []byte(",\n")), []byte("\n]\n"))
}

// format writes the objects of a release as they are printed; of several
// environments, each says its name.
func (o previewOptions) format(p planned, as chart.Renderer, out chart.Output, fleet bool) ([]byte, error) {
	switch {
	case o.output == "json":
		return formatJSON(p, out)
	case as.Verbatim:
		return out.Bytes(), nil
	}
	var text bytes.Buffer
	for i, object := range out.Objects {
		fmt.Fprintln(&text, "---")
		switch {
		case i == 0 && fleet:
			fmt.Fprintf(&text, "# %s, wave %d: %s %s (%s in %s)\n", p.plan.Environment, p.wave, p.Key, p.Chart.Version, p.Name, p.Namespace)
		case i == 0:
			fmt.Fprintf(&text, "# Wave %d: %s %s (%s in %s)\n", p.wave, p.Key, p.Chart.Version, p.Name, p.Namespace)
		}
		text.WriteString(comment("Source: " + object.Source))
		if hook := object.Hook; hook != nil {
			text.WriteString(comment("Hook: " + describe(*hook)))
		}
		fmt.Fprintf(&text, "%s\n", object.YAML)
	}
	return text.Bytes(), nil
}

// describe says on one line when a hook runs.
func describe(hook chart.Hook) string {
	when := hook.Said()
	if hook.Phases != nil {
		when += " (" + strings.Join(hook.Phases, ", ") + ")"
	}
	return fmt.Sprintf("%s, weight %d", when, hook.Weight)
}

// previewObject is an object in JSON output.
type previewObject struct {
	Environment string         `json:"environment"`
	Wave        int            `json:"wave"`
	Release     string         `json:"release"`
	Source      string         `json:"source"`
	CRD         bool           `json:"crd,omitempty"` // from the chart's folder crds
	Hook        *chart.Hook    `json:"hook,omitempty"`
	Object      map[string]any `json:"object"`
}

// formatJSON writes the objects of a release as items of a list.
func formatJSON(p planned, out chart.Output) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("  ", "  ")
	encoder.SetEscapeHTML(false)
	for _, object := range out.Objects {
		tree, err := object.Tree()
		if err != nil {
			return nil, err
		}
		if tree == nil {
			continue
		}
		if text.Len() > 0 {
			text.Truncate(text.Len() - 1) // the end of the line
			text.WriteString(",\n")
		}
		text.WriteString("  ")
		if err := encoder.Encode(previewObject{p.plan.Environment, p.wave, p.Key, object.Source, object.CRD, object.Hook, tree}); err != nil {
			return nil, fmt.Errorf("print %s %s: %w", object.Kind, object.Name, err)
		}
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}
