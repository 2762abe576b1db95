package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// Config holds Git's configuration: values by key, in the order of reading, so that
// the last one counts. Keys are section.name or section.subsection.name, with section
// and name in lower case, as git config --list prints them.
type Config map[string][]string

// Get returns a key's value, or "".
func (c Config) Get(key string) string {
	if values := c[key]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// Sub returns the values of section.*.name, by what is in the middle.
func (c Config) Sub(section, name string) map[string][]string {
	found := map[string][]string{}
	for key, values := range c {
		rest, in := strings.CutPrefix(key, section+".")
		if sub, named := strings.CutSuffix(rest, "."+name); in && named {
			found[sub] = values
		}
	}
	return found
}

// Bool returns a key's value as git config --type=bool reads it.
func (c Config) Bool(key string, otherwise bool) bool {
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

// ReadConfig reads the configuration of a repository, or, without one, of the
// user and the system. https://git-scm.com/docs/git-config#FILES
func ReadConfig(sys System, git *Program, commonDir string) (Config, error) {
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
func readPlainConfig(sys System, commonDir string) (Config, error) {
	var files []string
	if no := sys.Getenv("GIT_CONFIG_NOSYSTEM"); no == "" || no == "0" || no == "false" {
		files = append(files, cmp.Or(sys.Getenv("GIT_CONFIG_SYSTEM"), "/etc/gitconfig"))
	}
	home := sys.Home()
	if global := sys.Getenv("GIT_CONFIG_GLOBAL"); global != "" {
		files = append(files, global)
	} else if home != "" {
		files = append(files, filepath.Join(cmp.Or(sys.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "git", "config"), filepath.Join(home, ".gitconfig"))
	}
	if commonDir != "" {
		files = append(files, filepath.Join(commonDir, "config"))
	}
	values := Config{}
	for _, name := range files {
		if err := values.readFile(name); err != nil {
			return nil, fmt.Errorf("read Git's configuration %s: %w", name, err)
		}
	}
	return values, nil
}

// readFile adds the settings of a file; one that is not there is empty.
func (c Config) readFile(name string) error {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return Reason(err)
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

func (c Config) add(section string, options config.Options) {
	for _, option := range options {
		key := section + strings.ToLower(option.Key)
		c[key] = append(c[key], option.Value)
	}
}
