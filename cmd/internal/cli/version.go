package cli

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

// linked is the modules whose versions decide what the program writes.
var linked = [...]string{
	"helm.sh/helm/v3",
	"sigs.k8s.io/kustomize/api",
	"github.com/argoproj/argo-cd/v2",
	"github.com/fluxcd/helm-controller/api",
	"github.com/fluxcd/kustomize-controller/api",
	"github.com/fluxcd/source-controller/api",
	"github.com/go-git/go-git/v5",
	"k8s.io/api",
}

type versionReport struct {
	Version string         `json:"version"`
	Commit  string         `json:"commit,omitempty"`
	Go      string         `json:"go"`
	Modules []linkedModule `json:"modules"`
}

type linkedModule struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

func (a app) versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, and those of the linked libraries",
		Example: `  pm-gitops version
  pm-gitops version -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := checkOutput(output, textOrJSON); err != nil {
				return err
			}
			report := versions()
			if output == "json" {
				return a.printJSON(report)
			}
			a.printVersions(report)
			return nil
		},
	}
	addOutput(cmd, &output, textOrJSON)
	return cmd
}

// versions asks the binary what it was built from.
func versions() versionReport {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versionReport{Version: "unknown"}
	}
	report := versionReport{Version: info.Main.Version, Go: info.GoVersion}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			report.Commit = setting.Value
		}
	}
	versions := map[string]string{}
	for _, dependency := range info.Deps {
		versions[dependency.Path] = dependency.Version
	}
	for _, path := range linked {
		report.Modules = append(report.Modules, linkedModule{path, versions[path]})
	}
	return report
}

func (a app) printVersions(report versionReport) {
	a.out.Say("pm-gitops %s", report.Version)
	if report.Commit != "" {
		a.out.Say("commit %s", report.Commit)
	}
	a.out.Say("%s", report.Go)
	for _, module := range report.Modules {
		a.out.Say("%s %s", module.Path, module.Version)
	}
}
