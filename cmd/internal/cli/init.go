package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/templates"
)

type initOptions struct {
	file, catalog string
	from          []string
	name          string
	prefectCloud  string
	prefectIstiod string
	ci, ciFile    string
	target        targetFlag
	force         bool
}

func (a app) initCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write an environment file to start from",
		Long: `Init writes a complete, commented environment file to start from. It never
overwrites a file, and makes the folder that the file is in.

With --from it writes the environment file of an installation that exists, from
its values file, from what helm get values prints, or from its HelmRelease or
Application. Chart values that a field sets become that field, the rest goes
under values, and every secret becomes a reference: its value is never written
or printed. Rendering the file gives the same chart values back; what it adds,
and what is still to fill in, init says.

With --ci it writes what a system runs instead: on a pull or merge request the
environment files must be valid, what they render to must be committed (diff),
and check must find nothing; diff says what the cluster does about the change. By
a schedule, upgrade opens pull requests for newer versions. -f names the
environments there, as it does everywhere: a file, a folder or a pattern. Run
from a subfolder, the file goes to the root of the repository. --ci-file names
another file; -f still does so where it names no environments. Set the variable
PM_GITOPS_REF there to the commit or tag that is to be built and used.`,
		Example: `  pm-gitops init
  pm-gitops init -f environments/dev.yaml
  pm-gitops init --ci github                       or gitlab, gitea, kubernetes
  pm-gitops init --ci gitlab -f environments/ --target argo
  pm-gitops init --from values-override.yaml --prefect-cloud 1.2.6 --prefect-istiod 1.2.6
  pm-gitops init --from prefect-cloud=values.yaml --from prefect-istiod=istiod.yaml -f environments/prod.yaml
  helm get values customer-managed -n customer-managed | pm-gitops init --from -
  kubectl get helmreleases,ocirepositories -A -o yaml | pm-gitops init --from -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runInit(cmd, o) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "file", "f", "environment.yaml", "file to write, or - for standard output; with --ci: environment file, folder or pattern")
	flags.StringArrayVar(&o.from, "from", nil, "file with the values of an installation, or - for standard input; RELEASE=FILE says whose they are; repeat it for more")
	flags.StringVar(&o.name, "name", "", "name of the environment (default: that of the file, or prod)")
	flags.StringVar(&o.prefectCloud, "prefect-cloud", "", "chart version of prefect-cloud, where the files do not say it")
	flags.StringVar(&o.prefectIstiod, "prefect-istiod", "", "chart version of prefect-istiod, where the files do not say it")
	flags.StringVar(&o.catalog, "catalog", "", "catalog file that adds release lines or corrects them")
	flags.StringVar(&o.ci, "ci", "", "write what `system` runs for every change and by a schedule instead: "+text.OneOf(ciNames()))
	flags.StringVar(&o.ciFile, "ci-file", "", "with --ci: `file` to write, or - for standard output (default: the one that the system looks for)")
	a.addTarget(cmd, &o.target)
	flags.BoolVar(&o.force, "force", false, "with --ci: overwrite the file")
	completeWith(cmd, "ci", ciNames())
	_ = cmd.MarkFlagFilename("from", "yaml", "yml", "json")
	_ = cmd.MarkFlagFilename("catalog", "yaml", "yml")
	return cmd
}

// runInit checks the flags of init, and does what they ask for.
func (a app) runInit(cmd *cobra.Command, o initOptions) error {
	if err := o.checkCI(cmd.Flags().Changed); err != nil {
		return hinted{usageError{err}, "See pm-gitops init --help."}
	}
	if o.ci != "" {
		return a.initCI(o, cmd.Flags().Changed("file"))
	}
	if len(o.from) > 0 {
		return a.initFrom(cmd.Context(), o)
	}
	for _, flag := range []string{"name", "prefect-cloud", "prefect-istiod", "catalog"} {
		if cmd.Flags().Changed(flag) {
			return hinted{usageError{fmt.Errorf("--%s needs --from", flag)}, "See pm-gitops init --help."}
		}
	}
	return a.init(o.file)
}

func (a app) init(file string) error {
	if err := a.create(file, templates.Environment); err != nil || file == "-" {
		return err
	}
	a.err.Say("Make it yours, then: pm-gitops validate -f %s", file)
	return nil
}

// create writes a file that is not there yet, or prints it.
func (a app) create(file string, content []byte) error {
	if file == "-" {
		return a.out.Raw(content)
	}
	if err := writeNew(file, content); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = hinted{err, "Name another file with -f FILE."}
		}
		return err
	}
	a.out.Say("wrote %s", file)
	return nil
}

// writeNew writes a file, and makes its folder. If it is there already the error is
// [fs.ErrExist].
func writeNew(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return fmt.Errorf("make folder %s: %w", filepath.Dir(file), errors.Unwrap(err))
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	switch {
	case errors.Is(err, fs.ErrExist):
		return existsError(file)
	case err != nil:
		return fmt.Errorf("write %s: %w", file, errors.Unwrap(err))
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// existsError says that a file with this name is there.
type existsError string

func (e existsError) Error() string { return string(e) + " is there already: it was not touched" }
func (existsError) Unwrap() error   { return fs.ErrExist }
