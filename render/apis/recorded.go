package apis

import (
	"bytes"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Recorded is what a cluster said of itself, once: a file that environments
// name in cluster.capabilities.
type Recorded struct {
	APIVersion string `json:"apiVersion" yaml:"apiVersion"` // pm-gitops/v1
	Kind       string `json:"kind" yaml:"kind"`             // Capabilities
	// KubeVersion is the cluster's whole version, such as v1.33.1-gke.1386000.
	KubeVersion string `json:"kubeVersion" yaml:"kubeVersion"`
	APIs        []API  `json:"apis" yaml:"apis"`
}

// NewRecorded makes a file of what a cluster said.
func NewRecorded(kubeVersion string, all []API) Recorded {
	return Recorded{"pm-gitops/v1", "Capabilities", kubeVersion, all}
}

// YAML writes the file. [Parse] gives the same back for it.
func (r Recorded) YAML() ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("write the capabilities: %w", err)
	}
	return out.Bytes(), nil
}

// Parse reads a recorded file. The name is what problems show; it is not opened.
// The error is every problem of the file at once, as strictyaml.Problems.
func Parse(name string, data []byte) (Recorded, error) {
	root, problems := strictyaml.Load(name, data)
	if problems != nil {
		return Recorded{}, problems
	}
	if kind := root.Get("kind"); kind != nil && kind.Text != "Capabilities" {
		return Recorded{}, strictyaml.Problems{{Position: kind.Position, Path: "kind", Message: "want Capabilities, got " + text.Quoted(kind.Text)}}
	}
	var r Recorded
	problems = strictyaml.Decode(root, &r, strictyaml.Complete)
	return r, problems.With(r.check(root)).Err()
}

// The forms of a version of a group and of a kind.
var (
	versionForm = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9][a-z0-9]*$`)
	kindForm    = regexp.MustCompile(`^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$`)
)

func (r Recorded) check(root *strictyaml.Value) strictyaml.Problems {
	var problems strictyaml.Problems
	problem := func(path, format string, args ...any) {
		problems = append(problems, strictyaml.Problem{Position: root.At(path), Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if r.APIVersion != "pm-gitops/v1" {
		problem("apiVersion", "want pm-gitops/v1, got %s", text.Quoted(r.APIVersion))
	}
	if _, err := version.ParseGeneric(r.KubeVersion); err != nil {
		problem("kubeVersion", "want a Kubernetes version such as v1.33.4, got %s", text.Quoted(r.KubeVersion))
	}
	if len(r.APIs) == 0 {
		problem("apis", "want the API versions of the cluster: record them with `pm-gitops capabilities`")
	}
	seen := map[string]bool{}
	for i, api := range r.APIs {
		path := strictyaml.Index("apis", i)
		switch {
		case !versionForm.MatchString(api.Version):
			problem(path+".apiVersion", "want GROUP/VERSION such as apps/v1, or v1, got %s", text.Quoted(api.Version))
		case seen[api.Version]:
			problem(path+".apiVersion", "%s is defined twice", api.Version)
		}
		seen[api.Version] = true
		kinds := func(field string, kinds []string) {
			for j, kind := range kinds {
				if !kindForm.MatchString(kind) {
					problem(strictyaml.Index(path+field, j), "want a kind such as Deployment, got %s", text.Quoted(kind))
				}
			}
		}
		kinds(".kinds", api.Kinds)
		kinds(".unlisted", api.Unlisted)
	}
	return problems
}
