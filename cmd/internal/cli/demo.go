package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/testdata"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

func (a app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "See it work: an example, rendered and committed in a temporary folder",
		Long: `Demo needs nothing: it renders an example environment for Flux into a Git
repository in a temporary folder, and for Argo CD into another, commits it, shows the
files, the waves and the objects that the controller would apply, and says what
to look at next. The charts are stand-ins for the vendor's, which are private.
It reaches for no network and no cluster.`,
		Example: "  pm-gitops demo",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context()) },
	}
}

// demoFile is the environment file of the demo's repositories.
const demoFile = "environment.yaml"

func (a app) demo(ctx context.Context) error {
	source, err := testdata.Demo.ReadFile("demo/" + demoFile)
	if err != nil {
		return fmt.Errorf("read the example: %w", err)
	}
	var shown []demonstration
	for _, target := range a.targets {
		one, err := a.demoOf(ctx, target, source)
		if err != nil {
			return err
		}
		shown = append(shown, one)
	}
	applied, err := shown[0].preview(ctx)
	if err != nil {
		return err
	}
	a.tellDemo(shown[0], shown[1:], applied)
	return nil
}

// demonstration is the example, rendered for a target and committed.
type demonstration struct {
	target    render.Target
	dir, hash string
	plan      render.Plan
	tree      tree.Tree
}

func (a app) demoOf(ctx context.Context, target render.Target, source []byte) (demonstration, error) {
	env, err := render.Parse(demoFile, source, nil)
	if err != nil {
		return demonstration{}, err
	}
	plan, err := render.PlanFor(env, catalog.Embedded(), target)
	if err != nil {
		return demonstration{}, err
	}
	rendering, err := render.Render(plan, target)
	if err != nil {
		return demonstration{}, err
	}
	dir, err := os.MkdirTemp("", "pm-gitops-demo-"+target.Name()+"-")
	if err != nil {
		return demonstration{}, fmt.Errorf("make a folder for the demo: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, demoFile), source, 0o666); err != nil {
		return demonstration{}, fmt.Errorf("write the example: %w", err)
	}
	if err := writeStandIns(filepath.Join(dir, demoCharts), plan); err != nil {
		return demonstration{}, err
	}
	hash, err := a.commitDemo(ctx, dir, plan, rendering.Tree)
	return demonstration{target, dir, hash, plan, rendering.Tree}, err
}

// traits describes the delivery system that the example is rendered for.
func (d demonstration) traits() render.Traits { return d.target.Traits(d.plan.Delivery) }

// demoCharts is the folder of the demo's repositories that has the charts.
const demoCharts = "charts"

// writeStandIns packs the stand-ins for the charts of a plan into a folder.
func writeStandIns(dir string, plan render.Plan) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return fmt.Errorf("make a folder for charts: %w", err)
	}
	for _, release := range plan.Releases() {
		archive, err := standins.Archive(release.Key, release.Chart.Version)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, release.Key+"-"+release.Chart.Version+".tgz"), archive, 0o666); err != nil {
			return fmt.Errorf("write the chart: %w", err)
		}
	}
	return nil
}

// preview says of every release what its chart makes, a line each.
func (d demonstration) preview(ctx context.Context) ([]string, error) {
	releases, err := plannedReleases([]render.Plan{d.plan}, nil)
	if err != nil {
		return nil, err
	}
	lines, _, err := eachChart(ctx, 1, nil, charts.Folder(filepath.Join(d.dir, demoCharts)), releases, func(ctx context.Context, p planned, own charts.Chart) (string, error) {
		in, err := p.input(own, d.traits().Renderer)
		if err != nil {
			return "", err
		}
		out, err := own.Render(ctx, in)
		if err != nil {
			return "", err
		}
		line := fmt.Sprintf("%s: %s", p.Key, text.Count(len(out.Objects), "object"))
		for _, object := range out.Objects {
			if object.Hook != nil {
				line += fmt.Sprintf(", hook %s %s (%s)", object.Kind, object.Name, describe(*object.Hook))
			}
		}
		return line, nil
	})
	return lines, err
}

// commitDemo makes the repository and commits the environment file with what
// was rendered from it.
func (a app) commitDemo(ctx context.Context, dir string, plan render.Plan, files tree.Tree) (string, error) {
	// The user's configuration of Git must not change what the demo shows.
	clean := gitrepo.NewSystem(func(string) string { return "" }, nil, a.now)
	repository, err := gitrepo.Init(clean, dir)
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("open folder %s: %w", dir, err)
	}
	defer root.Close()
	if _, err := folder.Write(ctx, root, a.targets.Layouts(), []tree.Tree{files}, false); err != nil {
		return "", err
	}
	by := gitrepo.Signature{Name: "pm-gitops demo", Email: "demo@example.com", When: a.now()}
	return repository.CommitAll(ctx, "feat(prefect/"+plan.Environment+"): first rendering\n", by)
}

func (a app) tellDemo(first demonstration, others []demonstration, applied []string) {
	name, system := first.target.Name(), first.traits().Title
	a.out.Say("One environment file, and what is rendered from it for %s:", system)
	a.out.Say("")
	a.out.Say("  environment.yaml    what the installation is")
	a.out.Say("  charts/             stand-ins for the vendor's charts")
	for _, name := range first.tree.Paths() {
		a.out.Say("  %s", name)
	}
	a.out.Say("")
	a.out.Say("%s installs and upgrades it in waves, each when the one before is ready:", system)
	a.out.Say("")
	a.out.Say("  0. namespaces")
	for i, wave := range first.plan.Waves {
		for _, release := range wave {
			a.out.Say("  %d. %s %s as %s in namespace %s", i+1, release.Key, release.Chart.Version, release.Name, release.Namespace)
		}
	}
	a.out.Say("")
	a.out.Say("What %s then applies, from the stand-in charts in the folder %s:", system, demoCharts)
	a.out.Say("")
	for _, line := range applied {
		a.out.Say("  %s", line)
	}
	a.out.Say("")
	a.out.Say("Committed as %s in %s", first.hash[:12], first.dir)
	for _, other := range others {
		a.out.Say("The same for %s, %d files: %s in %s", other.traits().Title, len(other.tree), other.hash[:12], other.dir)
	}
	a.out.Say("")
	a.out.Say("Next:")
	a.out.Say("  cd %s", first.dir)
	a.out.Say("  git show --stat")
	a.out.Say("  pm-gitops render --target %s --built      what reaches the cluster", name)
	a.out.Say("  pm-gitops preview --chart-dir charts        the objects that %s applies", system)
	a.out.Say("  pm-gitops check --chart-dir charts          what could go wrong with them")
	a.out.Say("  pm-gitops images --chart-dir charts -o script    a script that fills the mirror")
	a.out.Say("  pm-gitops secrets list                      the Secrets that you create")
	a.out.Say("  edit environment.yaml, then:")
	a.out.Say("  pm-gitops diff --manifests --chart-dir charts    what the cluster would do about it")
	a.out.Say("  pm-gitops render --target %s --dir . && git diff", name)
	for _, other := range others {
		if _, ok := other.target.(prerequisites); ok {
			a.out.Say("  pm-gitops %s prerequisites   what %s needs first", other.target.Name(), other.traits().Title)
		}
	}
	a.out.Say("  pm-gitops init                              in your own repository: a starter file")
}
