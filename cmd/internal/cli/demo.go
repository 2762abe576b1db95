package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/tree"
	"github.com/pm-gitops/pm-gitops/testdata"
	standins "github.com/pm-gitops/pm-gitops/testdata/charts"
)

func (a app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "See it work: an example, checked, fixed, rendered and committed in a temporary folder",
		Long: `Demo needs nothing: it writes an example environment into a temporary folder, and
applies the fixes that check proves, as check --fix does. It renders the environment
for Flux into a Git repository there, and for Argo CD into another, commits it, shows
the files, the waves and the objects that the controller would apply, and says what
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
	var fixed *fixing
	for i, target := range a.targets {
		one, err := newDemo(target, source)
		if err == nil && i == 0 {
			fixed, err = a.fixDemo(ctx, one)
		}
		if err != nil {
			return err
		}
		if i == 0 {
			source = fixed.files[0].New
		}
		if err = a.commitDemo(ctx, &one, source); err != nil {
			return err
		}
		shown = append(shown, one)
	}
	applied, err := shown[0].preview(ctx)
	if err != nil {
		return err
	}
	a.tellFixed(fixed)
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

// newDemo makes the folder of a demonstration: the example and its charts.
func newDemo(target render.Target, source []byte) (demonstration, error) {
	d := demonstration{target: target}
	plan, err := d.planOf(source)
	if err != nil {
		return d, err
	}
	if d.dir, err = os.MkdirTemp("", "pm-gitops-demo-"+target.Name()+"-"); err != nil {
		return d, fmt.Errorf("make a folder for the demo: %w", err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, demoFile), source, 0o666); err != nil {
		return d, fmt.Errorf("write the example: %w", err)
	}
	return d, writeStandIns(filepath.Join(d.dir, demoCharts), plan)
}

func (d demonstration) planOf(source []byte) (render.Plan, error) {
	env, err := render.Parse(demoFile, source, nil)
	if err != nil {
		return render.Plan{}, err
	}
	return render.PlanFor(env, catalog.Embedded(), d.target)
}

// fixDemo applies the fixes of the example that are proved, as check --fix does.
func (a app) fixDemo(ctx context.Context, d demonstration) (*fixing, error) {
	o := checkOptions{releaseFlags: releaseFlags{input: input{files: []string{filepath.Join(d.dir, demoFile)}, jobs: 1}}, severity: string(finding.Warning)}
	request, err := o.request(a)
	if err != nil {
		return nil, err
	}
	f := &fixing{app: a, checkOptions: o, source: charts.Folder(filepath.Join(d.dir, demoCharts)), request: request, target: render.Only(d.target)}
	if f.members, err = fleet.Render(ctx, f.request, f.target); err != nil {
		return nil, err
	}
	seen, err := a.findings(ctx, o, f.source, f.members)
	if err == nil {
		err = f.applyFixes(ctx, seen.found)
	}
	if err == nil && (len(f.files) == 0 || len(f.remaining()) > 0) {
		err = fmt.Errorf("the example is not as it should be: %d findings remain", len(f.remaining()))
	}
	return f, err
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

// commitDemo makes the repository, renders the example into it and commits all of it.
func (a app) commitDemo(ctx context.Context, d *demonstration, source []byte) (err error) {
	if d.plan, err = d.planOf(source); err != nil {
		return err
	}
	rendering, err := render.Render(d.plan, d.target)
	if err != nil {
		return err
	}
	d.tree = rendering.Tree
	if err := os.WriteFile(filepath.Join(d.dir, demoFile), source, 0o666); err != nil {
		return fmt.Errorf("write the example: %w", err)
	}
	// The user's configuration of Git must not change what the demo shows.
	clean := gitrepo.NewSystem(func(string) string { return "" }, nil, a.now)
	repository, err := gitrepo.Init(clean, d.dir)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return fmt.Errorf("open folder %s: %w", d.dir, err)
	}
	defer root.Close()
	if _, err := folder.Write(ctx, root, a.targets.Layouts(), []tree.Tree{d.tree}, false); err != nil {
		return err
	}
	by := gitrepo.Signature{Name: "pm-gitops demo", Email: "demo@example.com", When: a.now()}
	d.hash, err = repository.CommitAll(ctx, "feat(prefect/"+d.plan.Environment+"): first rendering\n", by)
	return err
}

// tellFixed says what check found in the example, and what its fixes set.
func (a app) tellFixed(f *fixing) {
	a.out.Say("The example says where images come from (spec.registry), and leaves the charts as they are.")
	a.out.Say("pm-gitops check finds %s in it, and check --fix sets what it proves by rendering again:", text.Count(len(f.fixed), "thing"))
	a.out.Say("")
	var set []string
	for _, one := range f.fixed {
		for _, p := range one.Set {
			set = append(set, p.Assignment())
		}
	}
	for _, assignment := range dropRepeated(set) {
		a.out.Say("  %s", assignment)
	}
	a.out.Say("")
}

func (a app) tellDemo(first demonstration, others []demonstration, applied []string) {
	name, system := first.target.Name(), first.traits().Title
	a.out.Say("The environment file, and what is rendered from it for %s:", system)
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
	a.out.Say("  pm-gitops images --chart-dir charts         the images and charts that pm-gitops mirror copies")
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
