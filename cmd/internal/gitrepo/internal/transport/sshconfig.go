package transport

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/kevinburke/ssh_config"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// sshConfig answers what ~/.ssh/config and the system's file say of a host.
// https://man.openbsd.org/ssh_config
type sshConfig struct {
	sys    settings.System
	host   string // as the URL has it
	files  []*ssh_config.Config
	unread []string          // why files count for nothing
	tokens map[string]string // for the names of files
}

func readSSHConfig(sys settings.System, host string) sshConfig {
	c := sshConfig{sys: sys, host: host}
	for _, name := range []string{filepath.Join(sys.Home(), ".ssh", "config"), "/etc/ssh/ssh_config"} {
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue
		}
		decoded, parseErr := ssh_config.DecodeBytes([]byte(withoutMatch(string(content))))
		switch {
		case err != nil:
			c.unread = append(c.unread, fmt.Sprintf("%s cannot be read: %v", name, settings.Reason(err)))
		case parseErr != nil:
			c.unread = append(c.unread, fmt.Sprintf("%s is not understood: %s", name, text.FirstLine(parseErr.Error())))
		default:
			c.files = append(c.files, decoded)
		}
	}
	return c
}

// withoutMatch leaves out Match blocks: the library refuses a whole file for one.
func withoutMatch(config string) string {
	var kept strings.Builder
	matching := false
	for line := range strings.Lines(config) {
		words := strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == '=' })
		switch strings.ToLower(append(words, "")[0]) {
		case "match":
			matching = true
		case "host":
			matching = false
		}
		if !matching {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// hostName returns the host to connect to.
func (c sshConfig) hostName() string {
	if name := c.get("HostName"); name != "" {
		return strings.NewReplacer("%%", "%", "%h", c.host).Replace(name)
	}
	return c.host
}

// all returns every value of a keyword, the user's first.
func (c sshConfig) all(keyword string) (values []string) {
	for _, file := range c.files {
		found, err := file.GetAll(c.host, keyword)
		for _, value := range found {
			if value = strings.Trim(value, `"`); value != "" && err == nil {
				values = append(values, value)
			}
		}
	}
	return values
}

// get returns the first value of a keyword, which is the one that counts, or "".
func (c sshConfig) get(keyword string) string { return append(c.all(keyword), "")[0] }

// learn says what the tokens of names stand for.
func (c *sshConfig) learn(hostName string, port int, remoteUser string) {
	c.tokens = map[string]string{
		"~/": c.sys.Home() + "/", "%d": c.sys.Home(), "%%": "%", "%h": hostName, "%n": c.host, "%p": strconv.Itoa(port), "%r": remoteUser,
		"%i": strconv.Itoa(os.Getuid()),
	}
	if local, err := user.Current(); err == nil {
		c.tokens["%u"] = local.Username
	}
}

var sshToken = regexp.MustCompile(`^~/|%.?|\$\{[^}]*\}?`)

// path expands ~/, tokens and ${VARIABLE} in the name of a file. A relative one is below
// ~/.ssh.
func (c sshConfig) path(name string) (string, error) {
	var problem error
	name = sshToken.ReplaceAllStringFunc(name, func(token string) string {
		value, known := c.tokens[token]
		if variable, is := strings.CutPrefix(token, "${"); is {
			value = c.sys.Getenv(strings.TrimSuffix(variable, "}"))
			known = value != ""
		}
		if !known {
			problem = fmt.Errorf("%s in its name is not known", token)
		}
		return value
	})
	return c.sys.Expand(name, filepath.Join(c.sys.Home(), ".ssh")), problem
}
