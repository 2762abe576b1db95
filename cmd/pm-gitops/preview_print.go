package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// noteUnknown says where a preview must differ from what a controller does.
func (a app) noteUnknown(o previewOptions, releases []previewed) {
	say := func(format string, args ...any) {
		fmt.Fprintln(a.err, render.Visible(fmt.Sprintf(format, args...)))
	}
	if o.kubeVersion == "" {
		say("note: no spec.cluster.kubeVersion: rendered for the Kubernetes that Helm takes without a cluster")
	}
	for _, r := range releases {
		if o.as == "flux" && r.Chart.Digest == "" {
			say("note: %s: the digest of the chart is not pinned: Flux puts its first 12 characters behind .Chart.Version", r.Key)
		}
		for _, url := range r.output.Unread {
			say("note: %s: the chart's schema refers to %s, which was not read: anything is valid there", r.Key, url)
		}
		for _, hook := range r.output.Left {
			say("note: %s: hook %s %s (%s) does not run in this action", r.Key, hook.Kind, hook.Name, strings.Join(hook.Hook.Events, ", "))
		}
	}
}

// printPreview prints the objects of releases in the format asked for.
func (a app) printPreview(o previewOptions, releases []previewed) error {
	if o.output == "json" {
		return a.printPreviewJSON(releases)
	}
	out := bufio.NewWriter(a.out)
	for _, r := range releases {
		if o.as == "helm" {
			_, _ = out.Write(r.output.Bytes())
			continue
		}
		for i, object := range r.output.Objects {
			fmt.Fprintln(out, "---")
			if i == 0 {
				fmt.Fprintf(out, "# Wave %d: %s %s (%s in %s)\n", r.wave, r.Key, r.Chart.Version, r.Name, r.Namespace)
			}
			fmt.Fprintf(out, "# Source: %s\n", object.Source)
			if hook := object.Hook; hook != nil {
				fmt.Fprintf(out, "# Hook: %s\n", describe(*hook))
			}
			fmt.Fprintf(out, "%s\n", object.YAML)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print the objects: %w", err)
	}
	return nil
}

// describe is when a hook runs, on a line.
func describe(hook chart.Hook) string {
	events := strings.Join(hook.Events, ", ")
	if hook.Phases != nil {
		events += " (" + strings.Join(hook.Phases, ", ") + ")"
	}
	return fmt.Sprintf("%s, weight %d", events, hook.Weight)
}

// previewObject is an object in JSON output.
type previewObject struct {
	Wave    int            `json:"wave"`
	Release string         `json:"release"`
	Source  string         `json:"source"`
	CRD     bool           `json:"crd,omitempty"` // from the chart's folder crds
	Hook    *chart.Hook    `json:"hook,omitempty"`
	Object  map[string]any `json:"object"`
}

func (a app) printPreviewJSON(releases []previewed) error {
	all := []previewObject{}
	for _, r := range releases {
		for _, object := range r.output.Objects {
			tree, err := object.Tree()
			if err != nil {
				return err
			}
			if tree != nil {
				all = append(all, previewObject{r.wave, r.Key, object.Source, object.CRD, object.Hook, tree})
			}
		}
	}
	return a.printJSON(all)
}

// printable writes lines that cannot steer the terminal.
type printable struct{ w io.Writer }

func (p printable) Write(data []byte) (int, error) {
	for _, line := range slices.Collect(strings.Lines(string(data))) {
		if _, err := fmt.Fprintln(p.w, "helm: "+render.Visible(strings.TrimSuffix(line, "\n"))); err != nil {
			return 0, err
		}
	}
	return len(data), nil
}
