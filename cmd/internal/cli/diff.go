package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/graph"
	"github.com/pm-gitops/pm-gitops/render/page"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

type diffOptions struct {
	releaseFlags
	dir       string
	base      string
	manifests bool
	output    string
}

// diffFormats are the formats of diff, the default first.
var diffFormats = []string{"text", "unified", "json", "markdown", "html"}

func (a app) diffCommand() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [RELEASE ...]",
		Short: "Compare what would be rendered with a folder or a commit",
		Long: `Diff says what render --dir would change, object by object and field by field:
the order of keys is nothing, lists are compared by what names their items, and
nothing that a Secret holds is printed. Nothing is written. The exit code is 3
if anything differs, so it is a gate for continuous integration: a change of an
environment is committed with what it renders to.

--base compares with a commit of the repository that holds --dir instead: main,
origin/main, HEAD~1, v1.2, the start of a hash. What others committed there since
a branch left it shows as well: git merge-base gives the commit where it did.

--manifests goes on through the charts: it renders those that the folder names
and those that the environment names, each with its own values, and compares the
objects that reach the cluster. Of each it says what happens there: restart of
its pods, delete, or refuse, where a field is immutable and the controller's
upgrade would fail. Releases with the same chart and values are not rendered.
What a cluster alone knows, such as its webhooks, it cannot say. With RELEASE,
only those are compared. A chart that cannot be fetched or rendered is named on
stderr and in the result, and the other releases are compared; the exit code is 1.

-o unified is for what shows diffs; objects are written the same way on both
sides, so it is no patch for the files. -o markdown is for a comment on a pull
request, and -o html a page for reviewers that needs no network: the verdict, the
waves, and for each what the cluster does, with folded diffs. In JSON, changes is a list, each with kind (added, removed, changed),
within (the file, or environment and release), source, object, edits (op, path,
old, new) and effect (action, fields, why, source); summary counts them, and
errors is a list of what could not be compared.`,
		Example: `  pm-gitops diff                                   with the repository here
  pm-gitops diff -f environments/ --target argo    every environment of a fleet
  pm-gitops diff --base origin/main                how it differs from main
  pm-gitops diff --manifests                       what the cluster does about it
  pm-gitops diff --manifests prefect-cloud         about one release of it
  pm-gitops diff --manifests --chart-dir charts -o markdown > comment.md
  pm-gitops diff --manifests -o html > review.html a page that stands alone
  pm-gitops diff -o unified | less`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.releases = args
			if err := o.check(cmd); err != nil {
				return err
			}
			return a.runDiff(cmd.Context(), o)
		},
	}
	a.addReleases(cmd, &o.releaseFlags)
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", ".", "compare with this `folder`, the root of the repository")
	flags.StringVar(&o.base, "base", "", "compare with this `commit`, branch or tag of the repository that holds --dir")
	flags.BoolVar(&o.manifests, "manifests", false, "compare the objects that the charts make, and say what the cluster does")
	addOutput(cmd, &o.output, diffFormats)
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.RegisterFlagCompletionFunc("base", cobra.NoFileCompletions)
	return cmd
}

// check refuses what makes no sense.
func (o diffOptions) check(cmd *cobra.Command) error {
	if err := refuseEmpty(cmd, "dir", "base"); err != nil {
		return usageError{err}
	}
	if !o.manifests && len(o.releases) > 0 {
		return hinted{usageError{errors.New("releases are compared with --manifests alone")}, "Add --manifests; a folder or a commit to compare with is named by --dir or --base."}
	}
	if !o.manifests && (o.chartFlags.dir != "" || o.asksRegistries()) {
		return usageError{errors.New("charts are looked into with --manifests alone: --chart-dir, --cache-dir, --ca-file, --plain-http and --offline need it")}
	}
	return checkOutput(o.output, diffFormats)
}

func (a app) runDiff(ctx context.Context, o diffOptions) error {
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	old, name, err := a.before(ctx, o)
	if err != nil {
		return err
	}
	request, err := o.request(a)
	if err != nil {
		return err
	}
	request.Progress = a.progress("environments rendered")
	members, failed := a.renderFleet(ctx, request, target)
	if failed != nil && len(members) == 0 {
		return failed
	}
	trees, all := fleet.Trees(members), tree.Tree{}
	for _, rendered := range trees {
		maps.Copy(all, rendered)
	}
	had, err := old.Before(a.targets.Layouts(), trees)
	if err != nil {
		return err
	}
	if failed != nil || !request.Whole() {
		had.Others = nil // some of them may be what failed, or what was not read
	}
	a.remarkBefore(name, had)
	var result diff.Result
	if o.manifests {
		result, err = a.diffCharts(ctx, o, members, had.Tree)
	} else {
		result = diff.Compare(diff.Documents(had.Tree), diff.Documents(all))
	}
	var rest partialError
	if err != nil && !errors.As(err, &rest) {
		return errors.Join(failed, err)
	}
	result.Errors = failuresOf(errors.Join(failed, err))
	shown := page.Diff{Name: name, Result: result, Graph: graph.New(plansOf(members)...), ByRelease: o.manifests}
	if o.manifests {
		shown.Was = installedVersions(members, had.Tree)
	}
	if err := a.printDiff(o, shown); err != nil {
		return err
	}
	switch {
	case failed != nil:
		return partialError{error: errors.Join(failed, err), done: "compared"}
	case err != nil:
		return err
	}
	if len(result.Changes) == 0 {
		return nil
	}
	return foundError{fmt.Errorf("%s differs from what would be rendered", name)}
}

// failuresOf gives the sentences of an error that joins others, for the result.
func failuresOf(err error) []string {
	var all []string
	found, others := splitFindings(err)
	for _, f := range found {
		all = append(all, finding.Line(f))
	}
	for _, other := range others {
		all = append(all, other.Error())
	}
	return all
}

// remarkBefore says what render would refuse or not look at.
func (a app) remarkBefore(name string, had folder.Had) {
	for _, refusal := range had.Refusals {
		a.err.Say("warning: render wants --force: %s", refusal)
	}
	if len(had.Others) > 0 {
		a.err.Say("still in %s, and in no file that was read: %s", name, strings.Join(had.Others, ", "))
	}
}

// printDiff prints differences in the format asked for.
func (a app) printDiff(o diffOptions, all page.Diff) error {
	result := all.Result
	switch o.output {
	case "html":
		data, err := all.HTML()
		if err != nil {
			return err
		}
		return a.out.Raw(data)
	case "json":
		data, err := diff.JSON(result)
		if err != nil {
			return err
		}
		return a.out.Raw(data)
	case "markdown":
		return a.out.Raw([]byte(diff.Markdown(result, diff.MaxMarkdown)))
	case "unified":
		return a.out.Text(diff.Unified(result, a.colour().diff()))
	}
	return a.out.Text(diff.Text(result, a.colour().diff()))
}

// diff paints differences.
func (p painter) diff() diff.Paint {
	codes := map[diff.Style]string{diff.Title: "1", diff.Plus: "32", diff.Minus: "31", diff.Tilde: "33", diff.Attended: "1;31"}
	if p == nil {
		return nil
	}
	return func(style diff.Style, text string) string { return p(codes[style], text) }
}
