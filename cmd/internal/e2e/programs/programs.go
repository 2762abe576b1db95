// Package programs builds the real programs that the end-to-end tests run:
// Kubernetes, Flux's and Argo CD's controllers and what they call. Each set is
// a module of its own below testdata/e2e, which pins every version, and is built
// once into a cache folder named after all that decides what it is.
package programs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Set is programs that are built together.
type Set struct {
	Name string
	// module is the folder of its module below the repository's root.
	module string
	builds []build
	// definitions is globs of manifests of CustomResourceDefinitions, by the
	// module that ships them.
	definitions map[string]string
	links       map[string][]string // further names of a program
}

// build is a call of go build.
type build struct {
	flags    []string
	output   string // the program, or empty where packages name theirs
	packages []string
}

// kubernetesVersion is the version of k8s.io/kubernetes in testdata/e2e/core.
// Built as a module it does not know it, and charts ask for it.
const kubernetesVersion = "1.33.4"

func versionFlags() string {
	const at = "k8s.io/component-base/version."
	parts := strings.Split(kubernetesVersion, ".")
	return fmt.Sprintf("-s -w -X %sgitVersion=v%s -X %sgitMajor=%s -X %sgitMinor=%s", at, kubernetesVersion, at, parts[0], at, parts[1])
}

// Sets is every set: Kubernetes, Flux, Argo CD, and the helm program and what
// else Argo CD calls.
func Sets() []Set {
	return []Set{
		{
			Name: "core", module: "testdata/e2e/core",
			builds: []build{{[]string{"-ldflags", versionFlags()}, "kubelite", []string{"."}}},
			links:  map[string][]string{"kubelite": {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}},
		},
		{
			Name: "flux", module: "testdata/e2e/flux",
			builds: []build{{[]string{"-ldflags", "-s -w"}, "", []string{"tool"}}},
			definitions: map[string]string{
				"github.com/fluxcd/source-controller":    "config/crd/bases/*.yaml",
				"github.com/fluxcd/kustomize-controller": "config/crd/bases/*.yaml",
				"github.com/fluxcd/helm-controller":      "config/crd/bases/*.yaml",
			},
		},
		{
			Name: "argocd", module: "testdata/e2e/argocd",
			builds: []build{
				{[]string{"-ldflags", "-s -w"}, "argocd", []string{"github.com/argoproj/argo-cd/v2/cmd"}},
				{nil, "redis", []string{"./redis"}},
			},
			definitions: map[string]string{"github.com/argoproj/argo-cd/v2": "manifests/crds/*-crd.yaml"},
		},
		{
			Name: "tools", module: ".ci/tools",
			builds: []build{{nil, "", []string{"helm.sh/helm/v3/cmd/helm", "sigs.k8s.io/kustomize/kustomize/v5"}}},
		},
	}
}

// UnavailableError is a module that cannot be had from the module proxy.
type UnavailableError struct {
	Set    string
	Answer string // the proxy's, a line
}

func (e UnavailableError) Error() string {
	return fmt.Sprintf("a module of %s cannot be had: %s", e.Set, e.Answer)
}

// Builder builds sets.
type Builder struct {
	Root  string    // of the repository
	Cache string    // the folder that keeps what was built
	Log   io.Writer // gets a line when something is built, and what go prints
}

// Build gives the folder with the programs of a set, and with its definitions
// in crds; it builds them if they are not there. A build that is interrupted
// leaves nothing under the name. The error is an [UnavailableError] where the
// proxy does not have a module.
func (b Builder) Build(ctx context.Context, set Set) (string, error) {
	fingerprint, err := b.fingerprint(ctx, set)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", set.Name, err)
	}
	folder := filepath.Join(b.Cache, set.Name+"-"+fingerprint)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return "", err
	}
	unfinished, err := os.MkdirTemp(b.Cache, set.Name+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(unfinished)
	fmt.Fprintf(b.Log, "building %s: minutes, once\n", set.Name)
	if err := errors.Join(b.compile(ctx, set, unfinished), b.link(set, unfinished)); err != nil {
		return "", fmt.Errorf("build %s: %w", set.Name, err)
	}
	if err := b.define(ctx, set, filepath.Join(unfinished, "crds")); err != nil {
		return "", fmt.Errorf("build %s: %w", set.Name, err)
	}
	if err := os.Chmod(unfinished, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(unfinished, folder); err != nil {
		if _, other := os.Stat(folder); other == nil {
			return folder, nil // another process was faster
		}
		return "", err
	}
	return folder, nil
}

// fingerprint is a digest of what decides what the programs are: Go, the
// module's own files, and how they are built.
func (b Builder) fingerprint(ctx context.Context, set Set) (string, error) {
	version, err := b.goCommand(ctx, set, "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %v %v\n", version, set.builds, set.definitions)
	err = filepath.WalkDir(filepath.Join(b.Root, set.module), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%d %s\n", len(data), data)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

func (b Builder) goCommand(ctx context.Context, set Set, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.Root, set.module)
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOFLAGS=-buildvcs=false")
	cmd.Stderr = b.Log
	return cmd
}

func (b Builder) compile(ctx context.Context, set Set, to string) error {
	for _, build := range set.builds {
		args := append([]string{"build"}, build.flags...)
		args = append(args, "-o", to+string(filepath.Separator)+build.output)
		cmd := b.goCommand(ctx, set, append(args, build.packages...)...)
		var printed strings.Builder
		cmd.Stderr = io.MultiWriter(b.Log, &printed)
		if err := cmd.Run(); err != nil {
			if answer := refused.FindString(printed.String()); answer != "" {
				return UnavailableError{set.Name, answer}
			}
			return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
		}
	}
	return nil
}

// refused is how the go command says that the module proxy, or the checksum
// database, does not have a version.
var refused = regexp.MustCompile(`(?m)^.*(403 Forbidden|404 Not Found|410 Gone).*$`)

// link gives programs their further names: what they do depends on it.
func (b Builder) link(set Set, folder string) error {
	for program, names := range set.links {
		for _, name := range names {
			if err := os.Symlink(program, filepath.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// define copies the definitions that the set's modules ship.
func (b Builder) define(ctx context.Context, set Set, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for module, pattern := range set.definitions {
		dir, err := b.goCommand(ctx, set, "list", "-m", "-f", "{{.Dir}}", module).Output()
		if err != nil {
			return fmt.Errorf("find module %s: %w", module, err)
		}
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), pattern))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("find the definitions of %s: none, %v", module, err)
		}
		slices.Sort(files)
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), data, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// Variable is the environment variable that says where the programs of a set
// are; it is empty where they cannot be had.
func Variable(set string) string { return "PM_GITOPS_E2E_" + strings.ToUpper(set) }
