package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/templates"
)

// ciSystem is a system for continuous integration that init --ci knows.
type ciSystem struct {
	name, file string
	content    []byte
	next       string // what is to be done besides
}

// ciSystems lists all systems, in the order in which help lists them.
func ciSystems() []ciSystem {
	return []ciSystem{
		{"github", ".github/workflows/pm-gitops.yaml", templates.CIGitHub, "set the variable PM_GITOPS_REF of the repository"},
		{"gitlab", ".gitlab/ci/pm-gitops.yml", templates.CIGitLab, "include it in .gitlab-ci.yml, and set the CI/CD variable PM_GITOPS_REF"},
	}
}

func ciNames() []string {
	var names []string
	for _, system := range ciSystems() {
		names = append(names, system.name)
	}
	return names
}

// checkCI refuses flags that exclude or need --ci.
func (o initOptions) checkCI(given func(string) bool) error {
	if !given("ci") {
		if o.force {
			return errors.New("--force is for --ci alone: an environment file is never overwritten")
		}
		return nil
	}
	for _, flag := range []string{"from", "name", "prefect-cloud", "prefect-istiod", "catalog"} {
		if given(flag) {
			return fmt.Errorf("--ci writes no environment file: no --%s with it", flag)
		}
	}
	for _, system := range ciSystems() {
		if system.name == o.ci {
			return nil
		}
	}
	return fmt.Errorf("unknown system %q: want %s", o.ci, text.OneOf(ciNames()))
}

// initCI writes the file of a system where it looks for it, or into another.
func (a app) initCI(o initOptions, elsewhere bool) error {
	for _, system := range ciSystems() {
		if system.name != o.ci {
			continue
		}
		file := system.file
		if elsewhere {
			file = o.file
		}
		if err := a.writeCI(file, system.content, o.force); err != nil || file == "-" {
			return err
		}
		a.err.Say("Look at the variables at its top, then %s.", system.next)
	}
	return nil
}

// writeCI creates a file, or with force replaces it.
func (a app) writeCI(file string, content []byte, force bool) error {
	if _, err := os.Lstat(file); err != nil || !force {
		var h hinted
		err := a.create(file, content)
		if errors.As(err, &h) {
			h.hint = "Name another file with -f FILE, or overwrite it with --force."
			return h
		}
		return err
	}
	if err := os.WriteFile(filepath.Clean(file), content, 0o666); err != nil {
		return fmt.Errorf("write %s: %w", file, errors.Unwrap(err))
	}
	a.out.Say("wrote %s", file)
	return nil
}
