package gitrepo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// configuration is Git's configuration: values by key, in the order of reading,
// so that the last one counts. Keys are section.name or section.subsection.name,
// with section and name in lower case, as git config --list prints them.
type configuration map[string][]string

// get is a key's value, or empty.
func (c configuration) get(key string) string {
	if values := c[key]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// boolean is a key's value as git config --type=bool reads it.
func (c configuration) boolean(key string, otherwise bool) bool {
	values := c[key]
	if len(values) == 0 {
		return otherwise
	}
	switch value := strings.ToLower(values[len(values)-1]); value {
	case "true", "yes", "on":
		return true
	case "false", "no", "off", "":
		return false
	default:
		number, err := strconv.Atoi(value)
		return err == nil && number != 0
	}
}

// readConfig reads the configuration of a repository, or, without one, of the
// user and the system. https://git-scm.com/docs/git-config#FILES
func readConfig(sys System, git *gitProgram, commonDir string) (configuration, error) {
	if git == nil {
		return readPlainConfig(sys, commonDir)
	}
	values, err := git.listConfig()
	if err != nil || commonDir == "" || len(values["core.repositoryformatversion"]) > 0 {
		return values, err
	}
	// Git takes no notice of a repository of a kind that it does not know.
	own, err := git.listConfig("--file", filepath.Join(commonDir, "config"))
	for key, more := range own {
		values[key] = append(values[key], more...)
	}
	return values, err
}

// readPlainConfig reads the usual files where there is no git program: without
// includes, conditions and variables.
func readPlainConfig(sys System, commonDir string) (configuration, error) {
	var files []string
	if no := sys.Getenv("GIT_CONFIG_NOSYSTEM"); no == "" || no == "0" || no == "false" {
		files = append(files, firstOf(sys.Getenv("GIT_CONFIG_SYSTEM"), "/etc/gitconfig"))
	}
	home := homeDir(sys)
	if global := sys.Getenv("GIT_CONFIG_GLOBAL"); global != "" {
		files = append(files, global)
	} else if home != "" {
		files = append(files, filepath.Join(firstOf(sys.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "git", "config"), filepath.Join(home, ".gitconfig"))
	}
	if commonDir != "" {
		files = append(files, filepath.Join(commonDir, "config"))
	}
	values := configuration{}
	for _, name := range files {
		if err := values.readFile(name); err != nil {
			return nil, fmt.Errorf("read Git's configuration %s: %w", name, err)
		}
	}
	return values, nil
}

// readFile adds the settings of a file; one that is not there is empty.
func (c configuration) readFile(name string) error {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return reason(err)
	}
	defer file.Close()
	parsed := config.New()
	if err := config.NewDecoder(file).Decode(parsed); err != nil {
		return err
	}
	for _, section := range parsed.Sections {
		at := strings.ToLower(section.Name) + "."
		c.add(at, section.Options)
		for _, sub := range section.Subsections {
			c.add(at+sub.Name+".", sub.Options)
		}
	}
	return nil
}

func (c configuration) add(section string, options config.Options) {
	for _, option := range options {
		key := section + strings.ToLower(option.Key)
		c[key] = append(c[key], option.Value)
	}
}

func homeDir(sys System) string {
	if home := sys.Getenv("HOME"); home != "" || runtime.GOOS != "windows" {
		return home
	}
	return sys.Getenv("USERPROFILE")
}

// expandPath makes ~/ the home folder, and a relative path one below a folder.
func expandPath(sys System, name, dir string) string {
	if rest, found := strings.CutPrefix(name, "~/"); found {
		return filepath.Join(homeDir(sys), rest)
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
