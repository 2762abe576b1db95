package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/targets"
)

type renderOptions struct {
	input
	target string
	dir    string
	built  bool
	force  bool
	remove string
	quiet  bool
	output string
	setup  prerequisiteOptions
}

func (a app) renderCommand() *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Write the manifests of an environment",
		Long: `Render writes the manifests of an environment for the delivery system that
reconciles them: to standard output, or with --dir into a folder, which is the
root of your Git repository. Every overlay is built with kustomize first; one
that does not build is an error, and then nothing is written.

Into a folder, only what changed is written, and what is no longer rendered is
removed. Files that a person changed or put there are left alone, and said;
--force takes them.

Argo CD must be set up first: --prerequisites prints what its ConfigMap
argocd-cm must say and the Secrets that it needs, to fill in;
--check-prerequisites says what a ConfigMap file lacks, with exit code 3.`,
		Example: `  pm-gitops render --target flux                   print every file
  pm-gitops render --target flux --dir .           write them into this repository
  pm-gitops render --target flux --built | kubectl diff -f -
  pm-gitops render --target argo --prerequisites   what to set in Argo CD first
  pm-gitops render --remove staging --dir .        take an environment's files out`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return hinted{usageError{err}, "See pm-gitops render --help."}
			}
			switch {
			case o.remove != "":
				return a.remove(o)
			case o.setup.asked():
				return a.prerequisites(cmd.Context(), o)
			}
			return a.render(cmd.Context(), o)
		},
	}
	a.addInput(cmd, &o.input)
	addTarget(cmd, &o.target)
	cmd.Flags().StringVar(&o.dir, "dir", "", "write into this folder, the root of the repository")
	cmd.Flags().BoolVar(&o.built, "built", false, "print what reaches the cluster: overlays as kustomize builds them")
	cmd.Flags().BoolVar(&o.force, "force", false, "overwrite and delete files that a person changed, another target's, and let releases move")
	cmd.Flags().StringVar(&o.remove, "remove", "", "take the files of this environment out of --dir")
	o.setup.addFlags(cmd)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "with --dir: print nothing but problems")
	addOutput(cmd, &o.output)
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.RegisterFlagCompletionFunc("remove", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return written(o.dir), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// check refuses flags that exclude or need each other.
func (o renderOptions) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case given("remove") && o.remove == "", given("dir") && o.dir == "":
		return errors.New("--remove and --dir want a text: a variable that is not set, maybe?")
	case o.remove != "" && o.dir == "":
		return errors.New("--remove needs --dir")
	case o.remove != "" && (o.built || given("file") || given("catalog")):
		return errors.New("--remove takes the files of an environment out by its name: no --file, --catalog or --built with it")
	case o.built && o.dir != "":
		return errors.New("--built prints, --dir writes: want one of them")
	case o.setup.form != "" && o.setup.check != "":
		return errors.New("--prerequisites prints what --check-prerequisites looks for: want one of them")
	case o.setup.asked() && (o.dir != "" || o.built):
		return errors.New("--prerequisites and --check-prerequisites are about Argo CD itself: no --dir or --built with them")
	case o.dir == "" && (o.force || o.quiet || given("output")):
		return errors.New("--force, --quiet and --output need --dir")
	case o.remove != "" && (given("recursive") || given("environment")):
		return errors.New("--remove takes one environment, by its name")
	}
	return checkOutput(o.output)
}

func (a app) render(ctx context.Context, o renderOptions) error {
	target, err := targets.ByName(o.target)
	if err != nil {
		return usageError{err}
	}
	fleet, err := a.renderAll(ctx, o.input, target)
	if err != nil {
		return err
	}
	if o.dir != "" {
		return a.write(o, fleet)
	}
	var manifests []render.Manifest
	for _, rendering := range fleet {
		if o.built {
			manifests = append(manifests, rendering.Manifests...)
		} else {
			manifests = append(manifests, files(rendering.Tree)...)
		}
	}
	return a.stream(manifests)
}

// renderAll renders every environment that the flags name, in the order of
// their files. It is an error if they cannot all be applied.
func (a app) renderAll(ctx context.Context, in input, target render.Target) ([]render.Rendering, error) {
	type result struct {
		rendering render.Rendering
		warnings  render.Problems
	}
	results, err := eachPlan(ctx, a, in, target, func(plan render.Plan) (result, error) {
		rendering, err := render.Render(plan, target)
		return result{rendering, plan.Warnings}, err
	})
	if err != nil {
		return nil, err
	}
	var fleet []render.Rendering
	for _, r := range results {
		a.warn(r.warnings)
		fleet = append(fleet, r.rendering)
	}
	return fleet, render.Collisions(fleet).Err()
}

// files is the YAML of a tree in the order of its paths. The inventory is
// bookkeeping between us and a folder.
func files(tree render.Tree) []render.Manifest {
	var manifests []render.Manifest
	for _, name := range tree.Paths() {
		if path.Base(path.Dir(name)) != render.InventoryFolder {
			manifests = append(manifests, render.Manifest{Source: name, YAML: tree[name]})
		}
	}
	return manifests
}

// stream prints manifests as one YAML stream, each document with where it is from.
func (a app) stream(manifests []render.Manifest) error {
	out := bufio.NewWriter(a.out)
	for _, manifest := range manifests {
		for _, document := range strings.Split(string(manifest.YAML), "\n---\n") {
			fmt.Fprintf(out, "---\n# Source: %s\n%s\n", manifest.Source, strings.TrimSuffix(document, "\n"))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print the manifests: %w", err)
	}
	return nil
}

func (a app) remove(o renderOptions) error {
	root, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	found, err := folder.Find(root.FS(), o.remove)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fmt.Errorf("folder %s has no environment %q%s", o.dir, o.remove, render.Suggest(o.remove, written(o.dir)))
	case len(found) > 1:
		return fmt.Errorf("folder %s has environment %q more than once: %s", o.dir, o.remove, strings.Join(found, ", "))
	}
	changes, inventory, err := folder.Remove(root, found[0], o.force)
	if err != nil {
		return forceHint(err)
	}
	if !o.quiet {
		defer a.tellRemoved(root, inventory)
	}
	return a.printChanges(o, changes)
}

// written is the environments that were written into a folder, for completion.
func written(dir string) []string {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	found, _ := folder.FindAll(root.FS())
	return slices.Sorted(maps.Keys(found))
}

// tellRemoved says what stays in the cluster, and how to uninstall it: with
// Helm alone, Flux would install it again.
func (a app) tellRemoved(root *os.Root, inventory render.Inventory) {
	if inventory.Target == (targets.Argo{}).Name() {
		a.tellRemovedArgo(inventory)
		return
	}
	fmt.Fprintln(a.err, "Once this is committed, protected releases and the namespaces stay in the cluster. To uninstall a release:")
	for _, key := range slices.Sorted(maps.Keys(inventory.Releases)) {
		fmt.Fprintf(a.err, "  kubectl -n %s delete helmrelease %s\n", inventory.Releases[key].Namespace, key)
	}
	for name := range inventory.Files {
		pointedAt := path.Dir(name)
		if !strings.HasPrefix(name, "clusters/") {
			continue
		}
		if _, err := root.Stat(pointedAt); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(a.err, "Nothing is left in %s. Git keeps no empty folder, and Flux deletes nothing while the one it is pointed at is missing: put a file there.\n", pointedAt)
		}
	}
}

// tellRemovedArgo does so for Argo CD, which deletes nothing while a folder
// that it reads is gone. Without a finalizer, what an Application installed
// stays when it is deleted.
func (a app) tellRemovedArgo(inventory render.Inventory) {
	environment := inventory.Environment
	var keeping, uninstalling []string
	for name := range inventory.Files {
		key := path.Base(path.Dir(name))
		if path.Base(name) != "kustomization.yaml" || path.Base(path.Dir(path.Dir(name))) != environment {
			continue
		}
		if _, protected := inventory.Releases[key]; protected || key == render.Prereqs {
			keeping = append(keeping, environment+"-"+key)
		} else {
			uninstalling = append(uninstalling, environment+"-"+key)
		}
	}
	slices.Sort(keeping)
	slices.Sort(uninstalling)
	say := func(format string, args ...any) { fmt.Fprintf(a.err, format+"\n", args...) }
	say("Once this is committed, everything stays in the cluster, the Applications too. Where your Argo CD is in another namespace than argocd, name that below. To end its care and keep what it installed:")
	say("  kubectl -n argocd delete application %s %s", environment, strings.Join(keeping, " "))
	if len(uninstalling) > 0 {
		say("This uninstalls:\n  kubectl -n argocd delete application %s", strings.Join(uninstalling, " "))
	}
	say("To uninstall a protected release, first:\n  argocd app delete %s-RELEASE --cascade", environment)
	say("At last:\n  kubectl -n argocd delete appproject %s %s-root", environment, environment)
}
