package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/importer"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/templates"
)

// initFrom writes the environment file of an installation that exists.
func (a app) initFrom(ctx context.Context, o initOptions) error {
	options, err := o.importOptions()
	if err != nil {
		return err
	}
	over, err := fleet.Request{Catalog: o.catalog, Stdin: a.in}.ReadCatalog(ctx)
	if err != nil {
		return hintRead(err)
	}
	files, err := a.readFrom(ctx, o.from)
	if err != nil {
		return err
	}
	result, err := importer.Environment(files, catalog.Embedded().With(over), options)
	if err != nil {
		return err
	}
	head, _, _ := bytes.Cut(templates.Environment, []byte("apiVersion:"))
	if err := a.create(o.file, slices.Concat(head, result.YAML)); err != nil {
		return err
	}
	report{a.err, o}.print(result)
	return nil
}

// importOptions gives the options that flags set and no values file holds.
func (o initOptions) importOptions() (importer.Options, error) {
	options := importer.Options{Name: render.Name(o.name), PrefectCloud: render.ChartVersion(o.prefectCloud), PrefectIstiod: render.ChartVersion(o.prefectIstiod)}
	versions := []struct {
		flag    string
		version render.ChartVersion
	}{{"prefect-cloud", options.PrefectCloud}, {"prefect-istiod", options.PrefectIstiod}}
	for _, v := range versions {
		if v.version != "" && v.version.Validate() != nil {
			return options, usageError{fmt.Errorf("--%s: %w", v.flag, v.version.Validate())}
		}
	}
	if o.name == "" {
		options.Name = nameAfter(o.file)
	}
	if err := options.Name.Validate(); err != nil {
		return options, usageError{fmt.Errorf("--name: %w", err)}
	}
	return options, nil
}

// nameAfter names the environment of a file: environments/dev.yaml is dev.
func nameAfter(file string) render.Name {
	base := filepath.Base(file)
	name := render.Name(strings.TrimSuffix(base, filepath.Ext(base)))
	if name == "environment" || name.Validate() != nil {
		return "prod"
	}
	return name
}

// readFrom reads the files of --from.
func (a app) readFrom(ctx context.Context, from []string) ([]importer.File, error) {
	var files []importer.File
	for _, name := range from {
		file := importer.File{Name: name}
		for _, key := range []string{render.PrefectCloud, render.PrefectIstiod} {
			if rest, ok := strings.CutPrefix(name, key+"="); ok {
				file = importer.File{Name: rest, Release: key}
			}
		}
		data, err := a.read(ctx, file.Name)
		if err != nil {
			return nil, err
		}
		file.Data = data
		if file.Name == "-" {
			file.Name = "<stdin>"
		}
		files = append(files, file)
	}
	return files, nil
}

// report says how an environment file came to be, and what comes next.
type report struct {
	w *console.Stream
	o initOptions
}

func (r report) print(result importer.Result) {
	for _, note := range result.Notes {
		path := note.Path
		if path != "" {
			path += ": "
		}
		r.w.Say("%s: note: %s%s", note.Position, path, note.Message)
	}
	paths, end := listPaths(result.Values, func(k importer.Kept) (string, string) { return k.Release, k.Path }), ""
	if len(paths) > 0 {
		end = ":"
	}
	r.w.Say("%s became fields%s, %s went under values%s", text.Count(len(result.Fields), "chart value"), describeLines(result), text.Count(len(result.Values), "other"), end)
	r.list(paths)
	switch n := len(result.Secrets); {
	case n == 1:
		r.w.Say("1 secret became a reference; its value was not written or printed:")
	case n > 1:
		r.w.Say("%d secrets became references; no value was written or printed:", n)
	}
	for _, secret := range result.Secrets {
		r.w.Say("  %s -> {secret: %s, key: %s}", formatPath(secret.Release, secret.Path), secret.From.Secret, secret.From.Key)
	}
	if len(result.Added) > 0 {
		r.w.Say("The environment adds %s:", text.Count(len(result.Added), "chart value"))
	}
	for _, added := range result.Added {
		r.w.Say("  %s: %v", formatPath(added.Release, added.Path), added.Value)
	}
	if len(result.Blanks) > 0 {
		r.w.Say("Still to fill in, where %s has a comment:", r.o.fileName())
	}
	for _, blank := range result.Blanks {
		r.w.Say("  %s: %s", blank.Field, strings.TrimPrefix(blank.Hint, "FILL IN "))
	}
	r.next(result)
}

// describeLines names the release lines that the values were read by.
func describeLines(result importer.Result) string {
	switch {
	case len(result.Fields) == 0:
		return ""
	case len(result.Guesses) == 0:
		return " (line " + result.Line + ")"
	default:
		return " (they fit line " + text.OneOf(result.Guesses) + ")"
	}
}

// fileName names the file for messages.
func (o initOptions) fileName() string {
	if o.file == "-" {
		return "the file"
	}
	return o.file
}

// next says what to do with the file.
func (r report) next(result importer.Result) {
	flags := ""
	if r.o.file != "environment.yaml" && r.o.file != "-" {
		flags += " -f " + r.o.file
	}
	if r.o.catalog != "" {
		flags += " --catalog " + r.o.catalog
	}
	r.w.Say("Next: pm-gitops validate%s", flags)
	if len(result.Create) > 0 {
		names := make([]string, len(result.Create))
		for i, secret := range result.Create {
			names[i] = secret.Namespace + "/" + secret.Name
		}
		r.w.Say("      pm-gitops secrets list%s   prints what to create, to fill in: Secret %s", flags, strings.Join(names, ", "))
	}
	if len(result.Secrets) > 0 && result.FromArgo {
		r.w.Say("      pm-gitops secrets list%s --target argo --charts   for Argo CD, which hands no secret values to a chart: the chart reads Secrets itself", flags)
	}
	if len(result.Secrets) > 0 {
		r.w.Say("Keep the input out of Git: the secrets are still in it.")
	}
}

// maxListed limits how many paths a report lists: the file has them all.
const maxListed = 10

func (r report) list(paths []string) {
	for _, path := range paths[:min(len(paths), maxListed)] {
		r.w.Say("  %s", path)
	}
	if more := len(paths) - maxListed; more > 0 {
		r.w.Say("  and %d more", more)
	}
}

func listPaths[T any](all []T, where func(T) (release, path string)) []string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = formatPath(where(one))
	}
	return texts
}

// formatPath writes the path of a chart value, behind its release unless that is prefect-cloud.
func formatPath(release, path string) string {
	if release == render.PrefectCloud {
		return path
	}
	return release + ": " + path
}
