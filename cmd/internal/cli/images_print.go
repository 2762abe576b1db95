package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// printImages prints what is needed in the format asked for. What keeps the
// script from being complete is a finding.
func (a app) printImages(o imagesOptions, plans []render.Plan, all needs) error {
	switch o.output {
	case "json":
		return a.printJSON(all)
	case "script":
		script, problems := copyScript(plans, all)
		if err := a.out.Raw(script); err != nil {
			return err
		}
		if problems == nil {
			return nil
		}
		for _, problem := range problems {
			a.err.Say("%s", problem)
		}
		return foundError{errors.New(text.Count(len(problems), "thing") + " to look at before the mirror is complete")}
	}
	return a.out.Text(formatImages(all, len(plans) > 1))
}

// formatImages writes the images, and then the charts, as text.
func formatImages(all needs, fleet bool) string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "IMAGE\tFOUND\tUSED BY")
	for _, image := range all.Images {
		fmt.Fprintf(table, "%s\t%s\t%s\n", text.Visible(withDigest(image.Image, image.Resolved)), image.found(), text.Visible(listUses(image.Uses, fleet)))
	}
	fmt.Fprintln(table, "CHART\tVERSION\tUSED BY")
	for _, chart := range all.Charts {
		var users []string
		for _, use := range chart.Uses {
			users = append(users, nameUser(use.Environment, use.Release, fleet))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", withDigest(chart.Chart, chart.Digest), chart.Version, strings.Join(dropRepeated(users), ", "))
	}
	_ = table.Flush() // a buffer takes everything
	return out.String()
}

func withDigest(name, digest string) string {
	if digest == "" {
		return name
	}
	return name + "@" + digest
}

// found says how an image was found, for the table: nothing where a pod names it.
func (n neededImage) found() string {
	switch {
	case n.Problem != "":
		return "no reference"
	case n.Sure == "possible":
		return "possible"
	case n.Hidden:
		return "hidden"
	}
	return "pod"
}

// listUses lists the releases that use an image, each with the kinds of its objects.
func listUses(uses []imageUse, fleet bool) string {
	var users []string
	kinds := map[string][]string{}
	for _, use := range uses {
		name := nameUser(use.Environment, use.Release, fleet)
		users = append(users, name)
		if !slices.Contains(kinds[name], use.Kind) {
			kinds[name] = append(kinds[name], use.Kind)
		}
	}
	var texts []string
	for _, name := range dropRepeated(users) {
		slices.Sort(kinds[name])
		texts = append(texts, name+" ("+strings.Join(kinds[name], ", ")+")")
	}
	return strings.Join(texts, ", ")
}

func nameUser(environment, release string, fleet bool) string {
	if fleet {
		return environment + "/" + release
	}
	return release
}
