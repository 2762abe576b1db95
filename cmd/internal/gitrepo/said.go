package gitrepo

import (
	"os"
	"path/filepath"
	"strings"
)

// readFile reads a file of the working tree that says something of others, such
// as .gitignore. As in git, it may not be a symbolic link.
func (l *Local) readFile(name string) []byte {
	const most = 100 << 20 // git's own limit for .gitattributes
	full := filepath.Join(l.workTree, filepath.FromSlash(name))
	if info, err := os.Lstat(full); err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return nil
	}
	content, _ := os.ReadFile(full)
	return content
}

func (l *Local) converter() converter {
	a := newAttributes(l.readFile, l.config.boolean("core.ignorecase", false))
	if system, err := os.ReadFile("/etc/gitattributes"); err == nil && l.sys.Getenv("GIT_ATTR_NOSYSTEM") == "" {
		a.low = a.parse(system, "", true)
	}
	if content, _ := l.userFile("core.attributesfile", "attributes"); content != nil {
		a.low = append(a.low, a.parse(content, "", true)...)
	}
	if content, err := os.ReadFile(filepath.Join(l.commonDir, "info", "attributes")); err == nil {
		a.high = a.parse(content, "", true)
	}
	autocrlf := strings.ToLower(l.config.get("core.autocrlf"))
	if autocrlf != "input" && l.config.boolean("core.autocrlf", false) {
		autocrlf = "true" // whatever it is called
	}
	return converter{a, autocrlf}
}

// userFile reads a file of the user's that a setting names, or that is in the
// folder of Git's configuration.
func (l *Local) userFile(key, name string) (content []byte, at string) {
	at = firstOf(l.config.get(key), filepath.Join(firstOf(l.sys.Getenv("XDG_CONFIG_HOME"), filepath.Join(homeDir(l.sys), ".config")), "git", name))
	content, _ = os.ReadFile(expandPath(l.sys, at, l.workTree))
	return content, at
}
