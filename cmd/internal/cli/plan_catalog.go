package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	linedraft "github.com/pm-gitops/pm-gitops/render/catalog/draft"
	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/roadmap"
)

// lineDraft collects what --write-catalog writes while an environment is planned.
type lineDraft struct {
	of  *linedraft.Input // nil until the charts of a hop to another line are compared
	err error
}

const draftHelp = `With --write-catalog FILE it writes a catalog with the line of the next hop: which
chart value each field sets there, and what moves, as far as comparing the charts
proves it. Each entry has its certainty and its evidence in a comment; what is
only suspected is a comment. Review it, then name it with spec.catalog. A FILE
that was changed by hand is never overwritten; - prints the catalog, not the plan.

`

// addDraft adds the flag that asks for a draft.
func addDraft(cmd *cobra.Command, file *place) {
	cmd.Flags().Var(file, "write-catalog", "`file` to write a catalog with the line of the next hop to, or - for standard output")
	_ = cmd.MarkFlagFilename("write-catalog", "yaml", "yml")
}

// checkCatalog refuses flags that make no sense with --write-catalog.
func (o planOptions) checkCatalog() error {
	if o.writeCatalog != "" && o.release != "" {
		return fmt.Errorf("a catalog is of release lines: no release %q with --write-catalog", o.release)
	}
	return nil
}

// forDraft collects a draft where the flags ask for one.
func (o planOptions) forDraft() *lineDraft {
	if o.writeCatalog == "" {
		return nil
	}
	return &lineDraft{}
}

// checkDraft refuses, before anything is compared, a file that a draft may not replace: one
// that was changed by hand, or a catalog that the environment is planned with.
func (o planOptions) checkDraft(members []fleet.Member) error {
	file := string(o.writeCatalog)
	if file == "" || file == "-" {
		return nil
	}
	if len(members) > 1 {
		return usageError{errors.New("a catalog is drafted by one environment: name one with -f")}
	}
	for _, m := range members {
		if isSame(file, o.catalog) || isSame(file, m.Environment.CatalogFile()) {
			return hinted{fmt.Errorf("%s is a catalog that the environment is planned with: it was not touched", file), "Name another file: the draft has only what the catalogs lack."}
		}
	}
	switch before, err := os.ReadFile(filepath.Clean(file)); {
	case err == nil && !linedraft.IsUnchanged(before):
		return hinted{fmt.Errorf("%s is there already, and no unchanged draft: it was not touched", file), "Name another file with --write-catalog FILE."}
	case err == nil:
		return folder.CheckReplace([]folder.Replacement{{Name: file, Old: before}})
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("write catalog %s: %w", file, err)
	}
	return nil
}

// add takes the comparison of an environment's charts, and compares them once more with
// values that set all fields. It does nothing where no catalog is asked for.
func (d *lineDraft) add(ctx context.Context, m fleet.Member, h *roadmap.Hop, one pair, own, next charts.Chart, found hop.Analysis) {
	if d == nil || one.new.Key != render.PrefectCloud || h.From.Line == h.To.Line {
		return
	}
	in, err := one.draftInput(m, h, own, next, found)
	if err == nil {
		err = in.probe(ctx, h.Moves)
	}
	d.of, d.err = &in.Input, err
}

// drafting is the input of a draft with the two sides that its probes are rendered by.
type drafting struct {
	linedraft.Input
	old, new hop.Side
}

// draftInput gathers what is known of a hop but for its probes.
func (p pair) draftInput(m fleet.Member, h *roadmap.Hop, own, next charts.Chart, found hop.Analysis) (drafting, error) {
	in := drafting{Input: linedraft.Input{From: own.Chart.Version(), To: next.Chart.Version(), Charts: map[string]string{}}}
	var err, missing error
	if in.Old, err = m.Catalog.Line(h.From.Line); err != nil {
		return in, err
	}
	in.New, missing = m.Catalog.Line(h.To.Line)
	if in.Known = missing == nil; !in.Known {
		in.New = catalog.Line{Name: h.To.Line}
	}
	for _, transfer := range h.Versions {
		if release := transfer.Part.Title(); slices.Contains([]string{render.PrefectCloud, render.PrefectIstiod}, release) {
			in.Charts[release] = transfer.To
		}
	}
	if in.old, err = sideOf(p.old, own); err != nil {
		return in, err
	}
	if in.new, err = sideOf(p.new, next); err != nil {
		return in, err
	}
	in.OldDefaults, err = own.Defaults()
	in.NewDefaults, missing = next.Defaults()
	in.Hide = []string{m.Plan.Environment, p.old.Name, p.old.Namespace}
	for _, values := range []map[string]any{in.old.Values, in.new.Values} {
		in.Hide = wordsIn(in.Hide, values)
	}
	in.Runs = []linedraft.Run{{About: "the values of an environment", Own: true, Analysis: found}}
	return in, errors.Join(err, missing)
}

// wordsIn adds all keys and texts of values.
func wordsIn(all []string, value any) []string {
	switch value := value.(type) {
	case string:
		all = append(all, value)
	case []any:
		for _, item := range value {
			all = wordsIn(all, item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			all = wordsIn(append(all, key), value[key])
		}
	}
	return all
}

// probe compares the charts with made-up values. The draft names those that the old chart
// does not render with.
func (d *drafting) probe(ctx context.Context, moves []catalog.Move) error {
	var runs []linedraft.Run
	for _, one := range linedraft.Probes(d.Old, d.New) {
		in := hop.Input{Release: render.PrefectCloud, Old: d.old, New: d.new, Secrets: one.Secrets, Moves: moves}
		in.Old.Values, in.New.Values = one.Old, one.New
		found, err := hop.Analyze(ctx, in)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			d.Failed = append(d.Failed, one.About+": "+oneLine(err))
			continue
		}
		runs = append(runs, linedraft.Run{About: one.About, IntoChart: one.IntoChart, Analysis: found})
	}
	d.Runs = append(runs, d.Runs...)
	return nil
}

// writeDraft writes the catalog that was asked for.
func (a app) writeDraft(ctx context.Context, o planOptions, d *lineDraft, planned []roadmap.Roadmap) error {
	if d == nil {
		return nil
	}
	file := string(o.writeCatalog)
	if d.err != nil {
		return fmt.Errorf("write catalog %s: %w", file, d.err)
	}
	if d.of == nil {
		return fmt.Errorf("write catalog %s: %s", file, whyNoDraft(planned))
	}
	content, err := linedraft.Of(*d.of)
	if err == nil {
		_, err = catalog.Parse(file, content)
	}
	if err != nil {
		return fmt.Errorf("write catalog %s: %w", file, err)
	}
	if file == "-" {
		return a.out.Raw(content)
	}
	return a.putDraft(ctx, file, content)
}

// isSame reports whether two names are those of one file.
func isSame(a, b string) bool {
	first, err := os.Stat(a)
	second, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(first, second)
}

// whyNoDraft says why no charts of two lines were compared.
func whyNoDraft(planned []roadmap.Roadmap) string {
	for _, one := range planned {
		for _, h := range one.Hops {
			for _, chart := range h.Charts {
				if chart.Release == render.PrefectCloud && chart.Unseen != "" {
					return "the charts were not compared: " + chart.Unseen
				}
			}
		}
	}
	return "no hop to another release line is next"
}

// putDraft writes a draft, in the place of an older one that is still as it was written.
func (a app) putDraft(ctx context.Context, file string, content []byte) error {
	before, err := os.ReadFile(filepath.Clean(file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = writeNew(file, content)
	case err == nil && bytes.Equal(before, content):
		a.err.Say("%s is up to date", file)
		return nil
	case err == nil && !linedraft.IsUnchanged(before):
		err = errors.New("it changed while this was working")
	case err == nil:
		err = folder.Replace(ctx, []folder.Replacement{{Name: file, Old: before, New: content}})
	}
	if err != nil {
		return fmt.Errorf("write catalog %s: %w", file, err)
	}
	a.err.Say("wrote %s: review it, then name it with spec.catalog", file)
	return nil
}
