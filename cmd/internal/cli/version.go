package cli

import (
	"runtime/debug"
	"time"

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
			report := a.versions()
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

// unknownVersion is the version of a build that nothing names: two such builds need not
// be the same.
const unknownVersion = "unknown"

// buildInfo reads what the binary was built from; empty if it does not say.
func buildInfo() debug.BuildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return debug.BuildInfo{}
	}
	return *info
}

// versionOf gives the version of a build: the release that the linker was given, the
// module's version, or one made of the commit, as Go names commits without a tag.
// https://go.dev/ref/mod#pseudo-versions
func versionOf(release string, info debug.BuildInfo) string {
	switch {
	case release != "":
		return release
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	vcs := settingsOf(info)
	when, err := time.Parse(time.RFC3339, vcs["vcs.time"])
	if err != nil || len(vcs["vcs.revision"]) < 12 {
		return unknownVersion
	}
	version := "v0.0.0-" + when.UTC().Format("20060102150405") + "-" + vcs["vcs.revision"][:12]
	if vcs["vcs.modified"] != "false" {
		version += "+dirty"
	}
	return version
}

func settingsOf(info debug.BuildInfo) map[string]string {
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	return settings
}

// versions gives the program's version, and what it was built from.
func (a app) versions() versionReport {
	info := buildInfo()
	report := versionReport{Version: a.programVersion, Commit: settingsOf(info)["vcs.revision"], Go: info.GoVersion}
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
