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

// configReader reads configuration files. go-git itself reads no includes, no
// worktree's configuration and none from the environment.
type configReader struct {
	sys    System
	gitDir string // of includeIf; empty outside of a repository
	branch string
	urls   []string // of the remotes, for includeIf.hasconfig
	values configuration
}

// readConfig reads the whole configuration of a repository, or without one what
// there is outside of any. https://git-scm.com/docs/git-config#FILES
// GIT_CONFIG_PARAMETERS, which git -c sets for what it runs, is not read.
func readConfig(sys System, gitDir, commonDir, branch string) (configuration, error) {
	r := configReader{sys: sys, gitDir: gitDir, branch: branch, values: configuration{}}
	if err := r.readAll(commonDir); err != nil {
		return nil, err
	}
	// includeIf.hasconfig asks for remotes, wherever they are set.
	if urls := r.remoteURLs(); len(urls) > 0 {
		r.urls, r.values = urls, configuration{}
		if err := r.readAll(commonDir); err != nil {
			return nil, err
		}
	}
	return r.values, nil
}

func (r *configReader) remoteURLs() []string {
	var urls []string
	for key, values := range r.values {
		if strings.HasPrefix(key, "remote.") && strings.HasSuffix(key, ".url") {
			urls = append(urls, values...)
		}
	}
	return urls
}

func (r *configReader) readAll(commonDir string) error {
	for _, file := range r.outside() {
		if err := r.file(file, 0); err != nil {
			return err
		}
	}
	if commonDir != "" {
		if err := r.file(filepath.Join(commonDir, "config"), 0); err != nil {
			return err
		}
		if r.values.boolean("extensions.worktreeconfig", false) {
			if err := r.file(filepath.Join(r.gitDir, "config.worktree"), 0); err != nil {
				return err
			}
		}
	}
	return r.environment()
}

// outside is the files that are no repository's.
func (r *configReader) outside() []string {
	var files []string
	if no := r.sys.Getenv("GIT_CONFIG_NOSYSTEM"); no == "" || no == "0" || no == "false" {
		if system := r.sys.Getenv("GIT_CONFIG_SYSTEM"); system != "" {
			files = append(files, system)
		} else {
			files = append(files, systemConfig()...)
		}
	}
	if global := r.sys.Getenv("GIT_CONFIG_GLOBAL"); global != "" {
		return append(files, global)
	}
	if dir := userConfigDir(r.sys); dir != "" {
		files = append(files, filepath.Join(dir, "config"))
	}
	if home := homeDir(r.sys); home != "" {
		files = append(files, filepath.Join(home, ".gitconfig"))
	}
	return files
}

// systemConfig is where packages of git have the system's configuration.
func systemConfig() []string {
	switch runtime.GOOS {
	case "windows":
		return []string{`C:\Program Files\Git\etc\gitconfig`}
	case "darwin":
		return []string{"/Library/Developer/CommandLineTools/usr/share/git-core/gitconfig", "/opt/homebrew/etc/gitconfig", "/usr/local/etc/gitconfig", "/etc/gitconfig"}
	}
	return []string{"/etc/gitconfig"}
}

func homeDir(sys System) string {
	if home := sys.Getenv("HOME"); home != "" || runtime.GOOS != "windows" {
		return home
	}
	return sys.Getenv("USERPROFILE")
}

// userConfigDir is $XDG_CONFIG_HOME/git.
func userConfigDir(sys System) string {
	if dir := sys.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "git")
	}
	if home := homeDir(sys); home != "" {
		return filepath.Join(home, ".config", "git")
	}
	return ""
}

// environment reads GIT_CONFIG_COUNT and what it counts.
func (r *configReader) environment() error {
	text := r.sys.Getenv("GIT_CONFIG_COUNT")
	if text == "" {
		return nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 || count > 10000 {
		return fmt.Errorf("read Git's configuration: GIT_CONFIG_COUNT is %q: want a number", text)
	}
	for i := range count {
		key := r.sys.Getenv("GIT_CONFIG_KEY_" + strconv.Itoa(i))
		section, rest, _ := strings.Cut(key, ".")
		name := rest[strings.LastIndexByte(rest, '.')+1:]
		subsection := strings.TrimSuffix(strings.TrimSuffix(rest, name), ".")
		if section == "" || name == "" {
			return fmt.Errorf("read Git's configuration: GIT_CONFIG_KEY_%d is %q: want section.name", i, key)
		}
		r.add(section, subsection, name, r.sys.Getenv("GIT_CONFIG_VALUE_"+strconv.Itoa(i)))
	}
	return nil
}

func (r *configReader) add(section, subsection, name, value string) {
	key := ""
	if section != "" {
		key = strings.ToLower(section) + "."
	}
	if subsection != "" {
		key += subsection + "."
	}
	key += strings.ToLower(name)
	r.values[key] = append(r.values[key], value)
}

// file reads a file with what it includes; one that is not there is empty.
func (r *configReader) file(name string, depth int) error {
	const deepest = 10 // git's own limit
	if depth > deepest {
		return fmt.Errorf("read Git's configuration: files include each other, %d deep: %s", depth, name)
	}
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && depth == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read Git's configuration %s: %w", name, reason(err))
	}
	err = parseConfig(content, func(s setting) error {
		r.add(s.section, s.subsection, s.name, s.value)
		return r.include(name, depth, s)
	})
	if err != nil && depth == 0 {
		return fmt.Errorf("read Git's configuration %s: %w", name, err)
	}
	return err
}
