package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Words of which a field takes exactly one.
type (
	APIVersion      string // pm-gitops/v1
	EnvironmentKind string // Environment or EnvironmentDefaults
	SecretsFrom     string // who makes the Secrets
	SecretsInto     string // how the chart gets secret values
	StoreKind       string // SecretStore or ClusterSecretStore
	ESOVersion      string // the API version of External Secrets
	FluxVersion     string // a minor release of Flux
	ArgoVersion     string // a minor release of Argo CD
	ArgoCharts      string // how Applications name charts
	Forge           string // the software that hosts a repository
	AutoMerge       string // which pull requests merge themselves
	CheckID         string // a check of rendered objects
)

// The words that the program itself asks for.
const (
	FromExisting SecretsFrom = "existing"
	IntoValues   SecretsInto = "values"
	IntoChart    SecretsInto = "chart"

	ChartsHelm ArgoCharts = "helm"
	ChartsOCI  ArgoCharts = "oci"
)

func (APIVersion) words() []string { return []string{"pm-gitops/v1"} }
func (EnvironmentKind) words() []string {
	return []string{"Environment", "EnvironmentDefaults"}
}
func (SecretsFrom) words() []string {
	return []string{"existing", "externalSecrets", "sops", "sealedSecrets"}
}
func (SecretsInto) words() []string { return []string{"values", "chart"} }
func (StoreKind) words() []string   { return []string{"SecretStore", "ClusterSecretStore"} }
func (ESOVersion) words() []string  { return []string{"v1", "v1beta1"} }
func (FluxVersion) words() []string {
	return []string{"2.4", "2.5", "2.6", "2.7", "2.8", "2.9"}
}
func (ArgoVersion) words() []string {
	return []string{"2.14", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5"}
}
func (ArgoCharts) words() []string { return []string{"helm", "oci"} }
func (Forge) words() []string      { return []string{"github", "gitlab", "gitea"} }
func (AutoMerge) words() []string  { return []string{"never", "patch"} }

func (CheckID) words() []string { return checkIDs() }

// Validate refuses every other word; likewise for the types below.
func (w APIVersion) Validate() error      { return oneOf(w) }
func (w EnvironmentKind) Validate() error { return oneOf(w) }
func (w SecretsFrom) Validate() error     { return oneOf(w) }
func (w SecretsInto) Validate() error     { return oneOf(w) }
func (w StoreKind) Validate() error       { return oneOf(w) }
func (w ESOVersion) Validate() error      { return oneOf(w) }
func (w FluxVersion) Validate() error     { return oneOf(w) }
func (w ArgoVersion) Validate() error     { return oneOf(w) }
func (w ArgoCharts) Validate() error      { return oneOf(w) }
func (w Forge) Validate() error           { return oneOf(w) }
func (w AutoMerge) Validate() error       { return oneOf(w) }

// Validate refuses what is no check. There are too many to list in a message.
func (w CheckID) Validate() error {
	if slices.Contains(w.words(), string(w)) {
		return nil
	}
	return fmt.Errorf("unknown check %s%s; `pm-gitops check --list` lists them", quoted(string(w)), text.Suggest(string(w), w.words()))
}

// word is a string type that takes one of a few words.
type word interface {
	~string
	words() []string
}

func oneOf[W word](w W) error {
	if slices.Contains(w.words(), string(w)) {
		return nil
	}
	meant := text.Nearest(string(w), w.words())
	if strings.ContainsFunc(meant, unicode.IsDigit) { // a version is meant as it is
		meant = ""
	}
	if meant != "" {
		meant = fmt.Sprintf(": did you mean %q?", meant)
	}
	return fmt.Errorf("want %s, got %s%s", text.OneOf(w.words()), quoted(string(w)), meant)
}

// Minor is the second number of a Flux release: 7 for 2.7.
func (w FluxVersion) Minor() int {
	minor, _ := strconv.Atoi(strings.TrimPrefix(string(w), "2."))
	return minor
}

// NativeOCI reports whether the release of Argo CD knows oci:// sources
// (https://argo-cd.readthedocs.io/en/stable/user-guide/oci/).
func (w ArgoVersion) NativeOCI() bool { return w != "2.14" && w != "3.0" }

// TracksByLabel reports whether the release of Argo CD knows what it applied by
// a label, where it is told nothing else.
func (w ArgoVersion) TracksByLabel() bool { return w == "2.14" }

// RetriesNewest reports whether the release of Argo CD can take the newest
// commit when it tries again (spec.syncPolicy.retry.refresh).
func (w ArgoVersion) RetriesNewest() bool { return w.NativeOCI() && w != "3.1" }
