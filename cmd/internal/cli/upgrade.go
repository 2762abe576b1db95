package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/forge"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/cmd/internal/publish"
	"github.com/pm-gitops/pm-gitops/cmd/internal/pullrequest"
	"github.com/pm-gitops/pm-gitops/cmd/internal/upgrade"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
	choice "github.com/pm-gitops/pm-gitops/render/upgrade"
)

type upgradeOptions struct {
	input
	chartFlags
	target                    targetFlag
	repo, base, forge         string
	server, ui, chart, istiod string
	all, mirror               bool
	namesFiles                bool // --file was given
	limit                     int
	dryRun, noPush            bool
	signs                     signing
	output                    string
}

// mirrorsAtOnce bounds the artifacts that are asked for, or copied, at a time: the default of
// mirror.
const mirrorsAtOnce = 4

func (a app) upgradeCommand() *cobra.Command {
	var o upgradeOptions
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Open a pull request with newer versions of an environment",
		Long: `Upgrade changes the versions of an environment within its release line, and opens
a pull request for that, or refreshes the one that is open. Its one commit has the
environment file, its defaults and its lock, and everything that they render to.
It reads the base branch on the server: your checkout stays as it is.

Without --server, --ui, --chart and --istiod it takes the newest versions of the
line that the source, the mirror or the catalog has. Versions of another line,
older ones, and a server's tag for the ui are refused.

The pull request is a draft with the label blocked while the mirror lacks an image
or a chart, or has another digest; --mirror copies them first. What a person
closed stays closed, and a branch with somebody else's commit is left alone.

spec.upgrade says what an environment waits for: other environments (after, soak)
and the age of a version (minimumAge). The result says what it waits for.

--all upgrades every environment, those first that others wait for, with at most
--limit open pull requests. It closes those that are of no use any more. An
environment that fails does not stop the others; the exit code is 1 then.

--dry-run prints title, branch, base, labels and body of the pull request, and a
diff of the files. The exit code is 0, whether something would change or not.`,
		Example: `  pm-gitops upgrade --dry-run                            what the pull request would be
  pm-gitops upgrade -f environments/prod.yaml --server 2025.10.202512010915
  pm-gitops upgrade -f environments/prod.yaml --repo https://git.company.com/platform/fleet.git
  pm-gitops upgrade --all --mirror                       every environment of the repository`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.namesFiles = cmd.Flags().Changed("file")
			if err := o.check(cmd); err != nil {
				return hinted{usageError{err}, "See pm-gitops upgrade --help."}
			}
			return a.upgrade(cmd.Context(), o)
		},
	}
	a.addInput(cmd, &o.input)
	a.addCharts(cmd, &o.chartFlags)
	a.addTarget(cmd, &o.target)
	o.add(cmd)
	return cmd
}

// add adds the flags of upgrade alone.
func (o *upgradeOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	_ = flags.MarkHidden("offline") // refused with a sentence
	flags.StringVar(&o.server, "server", "", "`tag` of the server")
	flags.StringVar(&o.ui, "ui", "", "`tag` of the ui")
	flags.StringVar(&o.chart, "chart", "", "`version` of the chart prefect-cloud, of the same release line")
	flags.StringVar(&o.istiod, "istiod", "", "`version` of the chart prefect-istiod, of the same release line")
	flags.StringVar(&o.repo, "repo", "", "`URL` of the repository; --file names files in it (default: where git push of this checkout goes)")
	flags.StringVar(&o.base, "base", "", "`branch` to read and to merge into (default: delivery.git.branch, or the default branch)")
	flags.StringVar(&o.forge, "forge", "", "software of the forge, where its host does not tell (default: delivery.git.forge)")
	flags.BoolVar(&o.all, "all", false, "upgrade all environments of the repository, or of the folders and patterns of --file")
	flags.IntVar(&o.limit, "limit", 10, "with --all: how many pull requests of pm-gitops may be open")
	flags.BoolVar(&o.mirror, "mirror", false, "first copy to the mirror what it lacks")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the pull request and the differences of files, and do nothing")
	flags.BoolVar(&o.noPush, "no-push", false, "do everything but push and open pull requests")
	flags.Var(&o.signs, "sign", "sign the commit; without it, as Git's configuration says (commit.gpgSign)")
	flags.Lookup("sign").NoOptDefVal = "true"
	addOutput(cmd, &o.output, textOrJSON)
	completeWith(cmd, "forge", forge.Products())
	for _, name := range []string{"server", "ui", "chart", "istiod", "repo", "base"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// check refuses flags that make no sense.
func (o upgradeOptions) check(cmd *cobra.Command) error {
	if err := refuseEmpty(cmd, "server", "ui", "chart", "istiod", "repo", "base", "forge"); err != nil {
		return err
	}
	switch {
	case o.dryRun && o.noPush:
		return errors.New("--dry-run and --no-push exclude each other")
	case cmd.Flags().Changed("limit") && !o.all:
		return errors.New("--limit needs --all")
	case o.all && !o.namesFiles && o.only != nil:
		return errors.New("--all takes all environments: no --environment with it, unless --file names a folder")
	case o.offline:
		return errors.New("upgrade asks registries: no --offline")
	case slices.Contains(o.files, "-"):
		return errors.New("upgrade reads files of the repository, and not standard input")
	case o.forge != "" && !slices.Contains(forge.Products(), o.forge):
		return fmt.Errorf("unknown forge %q: want %s", o.forge, text.OneOf(forge.Products()))
	case o.limit < 1:
		return fmt.Errorf("want at least one pull request, got --limit %d", o.limit)
	}
	return checkOutput(o.output, textOrJSON)
}

// wanted gives the versions that the flags ask for.
func (o upgradeOptions) wanted() choice.Versions {
	wanted := choice.Versions{}
	for part, version := range map[choice.Part]string{choice.Server: o.server, choice.UI: o.ui, choice.PrefectCloud: o.chart, choice.PrefectIstiod: o.istiod} {
		if version != "" {
			wanted[part] = version
		}
	}
	return wanted
}

// forRegistries gives the flags for charts without a folder of charts.
func (o upgradeOptions) forRegistries() chartFlags {
	flags := o.chartFlags
	flags.dir = ""
	return flags
}

func (a app) upgrade(ctx context.Context, o upgradeOptions) error {
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	request, err := o.request(a)
	if err != nil {
		return err
	}
	source, err := a.openCharts(o.chartFlags)
	if err != nil {
		return err
	}
	url, err := a.upgradeRepository(&request, o)
	if err != nil {
		return err
	}
	run, err := a.openRun(ctx, o, request, target, url)
	if err != nil && (run == nil || len(run.Members) == 0) {
		return hintBase(err)
	}
	workers := a.workersFor(o.jobs, len(run.Members))
	defer workers.Close()
	notes := &chartNotes{of: map[string][]string{}}
	run.Charts = upgradeCharts{app: a, flags: o, source: source, workers: workers, notes: notes}
	results, failed := run.Upgrade(ctx, a.progress("environments upgraded"))
	for _, line := range notes.lines(len(run.Members) > 1) {
		a.err.Say("%s", line)
	}
	return a.tellUpgrades(o, results, errors.Join(err, failed))
}

// hintBase adds to errors about files what to do next: they are those of the base branch.
func hintBase(err error) error {
	return hintMissing(err, "The files are those of the base branch on the server: push yours, name others with -f (all with --all), or another branch with --base.")
}

// hintMissing adds a hint to the error of a file that a commit lacks, and to others theirs.
func hintMissing(err error, hint string) error {
	var failed *fleet.ReadError
	if errors.As(err, &failed) && failed.InRepository && errors.Is(err, fs.ErrNotExist) {
		return hinted{err, hint}
	}
	return hintRead(err)
}

// upgradeRepository gives the URL of the repository, and names the files of the request as
// they are in it.
func (a app) upgradeRepository(request *fleet.Request, o upgradeOptions) (string, error) {
	if o.repo != "" {
		return o.repo, nil
	}
	local, err := gitrepo.Open(a.git(), ".")
	if err != nil {
		return "", hinted{err, "Name the repository with --repo."}
	}
	request.Files = slices.Clone(request.Files)
	for i := range request.Files {
		if request.Files[i], err = inCheckout(request.Files[i]); err != nil {
			return "", err
		}
	}
	if request.Catalog != "" {
		if request.Catalog, err = inCheckout(request.Catalog); err != nil {
			return "", err
		}
	}
	return local.PushURL()
}

// inCheckout gives the path of a file in the repository whose checkout holds this folder.
func inCheckout(name string) (string, error) {
	top, err := fleet.RepositoryOf(".")
	if err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	inside, err := filepath.Rel(top, absolute)
	if err != nil || !filepath.IsLocal(inside) {
		return "", usageError{fmt.Errorf("%s is not in the repository %s", name, top)}
	}
	return path.Clean(filepath.ToSlash(inside)), nil
}

// openRun reads the environments from the base branch of the repository.
func (a app) openRun(ctx context.Context, o upgradeOptions, request fleet.Request, target render.Choice, url string) (*upgrade.Run, error) {
	open := func(ctx context.Context, branch, from string) (*gitrepo.Remote, error) {
		return gitrepo.OpenRemote(ctx, a.git(), url, gitrepo.RemoteOptions{Branch: branch, From: from})
	}
	client, err := a.registry(o.forRegistries())
	if err != nil {
		return nil, err
	}
	run := &upgrade.Run{
		Maker:      upgrade.Maker{Request: request, Target: target, Layouts: a.targets.Layouts()},
		BaseBranch: o.base, Wanted: o.wanted(), All: o.all, Whole: o.all && !o.namesFiles, Copies: o.mirror && !o.dryRun, Now: a.now(),
		Commit: publish.Request{Version: a.programVersion, Sign: gitrepo.Signing(o.signs), System: a.git()},
		Lists:  upgrade.NewLists(client), Ages: upgrade.NewAges(client),
	}
	if o.all {
		run.Limit = o.limit
	}
	failed := run.Open(ctx, open)
	if failed != nil && !fleet.IsPartial(failed) {
		return nil, failed
	}
	if o.dryRun || o.noPush {
		return run, failed
	}
	product := forge.Product(cmp.Or(o.forge, forgeOf(run.Members)))
	at, err := forge.Connect(ctx, url, product, a.forges)
	if err != nil {
		return nil, err
	}
	run.Keeper = pullrequest.New(at, open)
	return run, failed
}

// forgeOf gives the software of the forge that environments name, empty if none does.
func forgeOf(members []fleet.Member) string {
	for _, m := range members {
		if git := m.Environment.Spec.Delivery.Git; git != nil && git.Forge != "" {
			return strings.TrimSpace(string(git.Forge))
		}
	}
	return ""
}
