package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	texttemplate "text/template"
	"unicode"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/templates"
)

// ciSystem is a system that init --ci writes a file for.
type ciSystem struct {
	name, file string // the file is relative to the root of the repository
	template   string
	next       string // what is to be done with the file, and besides
}

// ciSystems lists all systems, in the order in which help lists them.
func ciSystems() []ciSystem {
	return []ciSystem{
		{"github", ".github/workflows/pm-gitops.yaml", templates.CIGitHub, variablesFirst + "set the variable PM_GITOPS_REF of the repository, and give the job upgrade a login (docs/ci.md)"},
		{"gitlab", ".gitlab/ci/pm-gitops.yml", templates.CIGitLab, variablesFirst + "include it in .gitlab-ci.yml, set the CI/CD variables PM_GITOPS_REF and GITLAB_TOKEN, and create a schedule (docs/ci.md)"},
		{"gitea", ".gitea/workflows/pm-gitops.yaml", templates.CIGitHub, variablesFirst + "set the variable PM_GITOPS_REF and the secret PM_GITOPS_TOKEN of the repository (docs/ci.md)"},
		{"kubernetes", "pm-gitops-upgrade.yaml", templates.CIKubernetes, "Set --repo, build the image and name it, and create the Secrets that it names (docs/ci.md)"},
	}
}

const variablesFirst = "Look at the variables at its top, "

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
		switch {
		case o.force:
			return errors.New("--force is for --ci alone: an environment file is never overwritten")
		case given("ci-file"), given("target"):
			return errors.New("--ci-file and --target need --ci")
		}
		return nil
	}
	for _, flag := range []string{"from", "name", "prefect-cloud", "prefect-istiod", "catalog"} {
		if given(flag) {
			return fmt.Errorf("--ci writes no environment file: no --%s with it", flag)
		}
	}
	if o.file == "" || given("ci-file") && o.ciFile == "" {
		return errors.New("--file or --ci-file is empty (unset variable?)")
	}
	for _, system := range ciSystems() {
		if system.name == o.ci {
			return nil
		}
	}
	return fmt.Errorf("unknown system %q: want %s", o.ci, text.OneOf(ciNames()))
}

// initCI writes the file of a system where the system looks for it, or where the
// flags say.
func (a app) initCI(o initOptions, fileGiven bool) error {
	if _, err := a.target(o.target); err != nil {
		return err
	}
	if fileGiven && o.ciFile == "" && !namesEnvironments(o.file) {
		o.ciFile, o.file = o.file, fleet.DefaultFile
	}
	top, environments, err := inRepositoryHere(o.file)
	if err != nil {
		return err
	}
	for _, system := range ciSystems() {
		if system.name != o.ci {
			continue
		}
		file := o.ciFile
		if file == "" {
			file = filepath.Join(top, filepath.FromSlash(system.file))
		}
		content, err := system.fill(environments, o.target.name)
		if err != nil {
			return err
		}
		if err := a.writeCI(file, content, o.force); err != nil || file == "-" {
			return err
		}
		a.err.Say("%s.", system.next)
	}
	return nil
}

// namesEnvironments reports whether a name that --file has is one of environments,
// and not that of the file to write, which --file may name too: a folder, a pattern, or
// an environment file that is there.
func namesEnvironments(name string) bool {
	if name == "-" {
		return false
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		data, err := os.ReadFile(filepath.Clean(name))
		return err == nil && fleet.IsEnvironment(data)
	} else if err == nil {
		return info.IsDir()
	}
	return strings.HasSuffix(filepath.ToSlash(name), "/") || strings.ContainsAny(name, "*?[{")
}

// inRepositoryHere finds the root of the repository that holds this folder, and
// gives the way there from here, and that from there to what name names here.
// Where there is no repository, this folder is the root.
func inRepositoryHere(name string) (top, inside string, err error) {
	here, err := filepath.Abs(".")
	if err != nil {
		return "", "", fmt.Errorf("find the working directory: %w", err)
	}
	root := fleet.RepositoryAbove(here)
	if root == "" {
		root = here
	}
	if strings.ContainsFunc(name, steersCI) {
		return "", "", usageError{fmt.Errorf("%q has a character that means something to a CI system: want letters, digits, spaces and .-_/*?[]{},+@", name)}
	}
	place, err := filepath.Abs(name)
	if err != nil {
		return "", "", fmt.Errorf("find %s: %w", name, err)
	}
	if inside, err = filepath.Rel(root, place); err != nil || !filepath.IsLocal(inside) {
		return "", "", fmt.Errorf("%s lies outside the repository %s", name, root)
	}
	if top, err = filepath.Rel(here, root); err != nil {
		return "", "", fmt.Errorf("find %s: %w", root, err)
	}
	return top, filepath.ToSlash(inside), nil
}

// steersCI reports whether a character of a path may be more than itself in a file
// of a CI system: the start of an expression or a variable, or the end of a text.
func steersCI(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(` .-_/\*?[]{},+@`, r)
}

// fill makes the file of the system for environments, which are a path in the
// repository, and a target, which is empty where each environment says its own.
func (s ciSystem) fill(environments, target string) ([]byte, error) {
	if target != "" {
		target = strconv.Quote(target)
	}
	parsed, err := texttemplate.New("ci-"+s.name).Delims("[[", "]]").Parse(s.template)
	if err != nil {
		return nil, fmt.Errorf("read the template of %s: %w", s.name, err)
	}
	var content bytes.Buffer
	err = parsed.Execute(&content, struct{ System, File, Target string }{s.name, strconv.Quote(environments), target})
	if err != nil {
		return nil, fmt.Errorf("write for %s: %w", s.name, err)
	}
	return content.Bytes(), nil
}

// writeCI creates a file, or with force replaces it.
func (a app) writeCI(file string, content []byte, force bool) error {
	if _, err := os.Lstat(file); err != nil || !force {
		var h hinted
		err := a.create(file, content)
		if errors.As(err, &h) {
			h.hint = "Name another file with --ci-file FILE, or overwrite it with --force."
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
