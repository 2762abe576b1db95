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

// Config holds Git's configuration in the order of reading: of a key the last value
// counts, or all of them.
type Config []Setting

// Setting is a value of Git's configuration. Keys are section.name or
// section.subsection.name, with section and name in lower case, as git config --list
// prints them.
type Setting struct{ Key, Value string }

// All returns a key's values.
func (c Config) All(key string) (values []string) {
	for _, setting := range c {
		if setting.Key == key {
			values = append(values, setting.Value)
		}
	}
	return values
}

// Get returns a key's value, or "".
func (c Config) Get(key string) string { return Last(c.All(key)) }

// Last returns the last one of some values, or "".
func Last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Sub returns the settings section.*.name, with what is in the middle as key.
func (c Config) Sub(section, name string) (found []Setting) {
	for _, setting := range c {
		rest, in := strings.CutPrefix(setting.Key, section+".")
		if sub, named := strings.CutSuffix(rest, "."+name); in && named {
			found = append(found, Setting{sub, setting.Value})
		}
	}
	return found
}

// Bool returns a key's value as git config --type=bool reads it.
func (c Config) Bool(key string, otherwise bool) bool {
	values := c.All(key)
	if len(values) == 0 {
		return otherwise
	}
	switch value := strings.ToLower(Last(values)); value {
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
	if err != nil || commonDir == "" || values.Get("core.repositoryformatversion") != "" {
		return values, err
	}
	// Git takes no notice of a repository of a kind that it does not know.
	own, err := git.listConfig("--file", filepath.Join(commonDir, "config"))
	return append(values, own...), err
}

// readPlainConfig reads the usual files where there is no git program: without
// includes, conditions and variables.
func readPlainConfig(sys System, commonDir string) (Config, error) {
	var files []string
	if no := (Config{{"no", sys.Getenv("GIT_CONFIG_NOSYSTEM")}}); !no.Bool("no", false) {
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
func (c *Config) readFile(name string) error {
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

func (c *Config) add(section string, options config.Options) {
	for _, option := range options {
		*c = append(*c, Setting{section + strings.ToLower(option.Key), option.Value})
	}
}
