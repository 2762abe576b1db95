package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// explainOptions is the flags of validate about where values come from.
type explainOptions struct {
	explain  bool
	releases []string
}

func (a app) addExplainFlags(cmd *cobra.Command, o *validateOptions) {
	cmd.Flags().BoolVar(&o.explain, "explain", false, "print each field and chart value with the file and line it came from")
	cmd.Flags().StringArrayVar(&o.releases, "release", nil, "with --explain: only the chart values of the release of this `name`; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("release", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		left := slices.DeleteFunc(a.completeReleases(cmd.Context(), o.input), func(key string) bool { return slices.Contains(o.releases, key) })
		return left, cobra.ShellCompDirectiveNoFileComp
	})
}

// completionTime is how long a shell may wait for us after a tab.
const completionTime = time.Second

// explanation says where the values of one file come from, in JSON.
type explanation struct {
	File string `json:"file"`
	render.Explanation
}

// explain prints where the values of valid environments come from.
func (a app) explain(files []examined) {
	for i, file := range files {
		if i > 0 {
			a.out.Say("")
		}
		a.printExplanation(file.File, file.explanation)
	}
}

// pick leaves the releases that the flags name, and says which of them no
// environment has.
func (o explainOptions) pick(files []examined) error {
	if len(o.releases) == 0 {
		return nil
	}
	var known []string
	for i := range files {
		e := &files[i].explanation
		for _, release := range e.Releases {
			known = append(known, release.Release)
		}
		e.Fields = []render.Explained{}
		e.Releases = slices.DeleteFunc(e.Releases, func(r render.ExplainedRelease) bool { return !slices.Contains(o.releases, r.Release) })
	}
	slices.Sort(known)
	for _, key := range o.releases {
		if !slices.Contains(known, key) {
			return usageError{fmt.Errorf("unknown release %q%s", key, text.Suggest(key, slices.Compact(known)))}
		}
	}
	return nil
}

// check refuses flags that need --explain without it.
func (o explainOptions) check() error {
	if len(o.releases) > 0 && !o.explain {
		return usageError{errors.New("--release needs --explain")}
	}
	return nil
}

func (a app) printExplanation(file string, e render.Explanation) {
	if len(e.Fields) > 0 {
		title := e.Environment
		if title == "" {
			title = file
		}
		a.out.Say("%s", title)
		a.printTable(formatRows(e.Fields))
	}
	for i, release := range e.Releases {
		if i > 0 || len(e.Fields) > 0 {
			a.out.Say("")
		}
		a.out.Say("%s %s (%s in %s)", release.Release, release.Version, release.HelmRelease, release.Namespace)
		if len(release.Values) == 0 {
			a.out.Say("  no values: the chart's own apply")
		}
		a.printTable(formatRows(release.Values))
	}
}

func formatRows(list []render.Explained) [][]string {
	rows := make([][]string, len(list))
	for i, e := range list {
		rows[i] = []string{e.Path, formatValue(e), formatOrigin(e.Origin), formatNote(e)}
	}
	return rows
}

// widest limits how wide a column gets: a longer cell shifts its own row
// rather than every other.
const widest = 56

// printTable prints rows in columns, indented.
func (a app) printTable(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if n := utf8.RuneCountInString(cell); n <= widest {
				widths[i] = max(widths[i], n)
			}
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString("  " + cell + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))))
		}
		a.out.Say("%s", strings.TrimRight(line.String(), " "))
	}
}

// formatValue writes a value on a line, as YAML would write it: a text that looks
// like something else is in quotes.
func formatValue(e render.Explained) string {
	if e.Secret != nil {
		return fmt.Sprintf("Secret %s key %s", e.Secret.Secret, e.Secret.Key)
	}
	text, isText := e.Value.(string)
	if isText && (text == "" || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })) {
		return strconv.Quote(text)
	}
	out, err := yaml.Marshal(e.Value)
	if err != nil {
		return fmt.Sprint(e.Value)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func formatOrigin(o render.Origin) string {
	if o.File == "" {
		return "(" + string(o.From) + ")"
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// formatNote says why a value is what it is, besides where it was said.
func formatNote(e render.Explained) string {
	var notes []string
	switch {
	case e.Rule != nil && e.Origin.From == render.FromCatalog:
		note := "set by the catalog"
		if len(e.Rule.When) > 0 {
			note += " when " + strings.Join(e.Rule.When, " and ")
		}
		notes = append(notes, note)
	case e.Rule != nil:
		notes = append(notes, fmt.Sprintf("%s, by rule %s:%d", e.Origin.Field, e.Rule.File, e.Rule.Line))
	case e.Origin.Field != "":
		notes = append(notes, e.Origin.Field)
	case e.Origin.From == render.FromCatalog:
		notes = append(notes, "default of the catalog")
	}
	for _, replaced := range e.Replaces {
		note := "replaces " + formatOrigin(replaced)
		if replaced.Field != "" {
			note += " " + replaced.Field
		}
		notes = append(notes, note)
	}
	return strings.Join(notes, "; ")
}
