package importer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// What validate refuses must be a secret beyond doubt, since a file that is
// right would be refused otherwise. What is imported was written for a private
// place, and a reference too many costs a line to fill in: more is taken for
// secrets here.
var (
	likelyKey = regexp.MustCompile(`(?:^|[-_.a-z0-9])(?:PASS|PWD)$|(?:^|[a-z0-9])(?:Pass|Pwd)$|(?:^|[-_.])(?:pass|pwd)$`)
	// letters only, in lower case
	likelyLetters = regexp.MustCompile(`(?:passphrase|passwords|(?:secret|access|encryption|signing|shared|master|account|auth|cookie)key|accesskeyid|dockerconfigjson|^authorization|basicauth|^cookie)$`)
	likelyParents = []string{"passwords", "tokens", "apikeys", "credentials"}
	likelyText    = regexp.MustCompile(`\beyJ[\w-]{8,}\.eyJ[\w-]+\.|\bA(?:KIA|SIA)[A-Z0-9]{16}|\bxox[abposr]-\w|hooks\.slack\.com/services/|[?&]sig=|"auth"\s*:\s*"|\bLS0tLS1CRUdJTi|(?i:\bbearer\s+\S{16})|(?i:(?:\bpass|\bpwd|accountkey|sharedaccesskey)\s*[:=]\s*[^\s"'$<{])`)
)

// suspects is what may be secrets, in the order of the file.
func suspects(root *value) []plaintext.Found {
	texts, found := map[string]string{}, []plaintext.Found(nil)
	each(root, "", func(path string, v *value) { texts[path] = v.Text })
	each(root, "", func(path string, v *value) {
		steps := strings.Split(path, ".")
		key := steps[len(steps)-1]
		if entry, ok := strings.CutSuffix(path, ".value"); ok { // an environment variable says its name beside its value
			key = texts[entry+".name"]
		}
		if v.Kind == strictyaml.Scalar && v.Tag == "!!str" && looksSecret(steps[:len(steps)-1], key, v.Text) {
			found = append(found, plaintext.Found{Position: v.Position, Path: path, Why: "this may be a secret"})
		}
	})
	return found
}

// looksSecret reports whether a text looks like a secret, or lies where one would.
func looksSecret(parents []string, key, text string) bool {
	if strings.TrimSpace(text) == "" || refers.MatchString(text) {
		return false
	}
	return likelyKey.MatchString(key) || likelyLetters.MatchString(letters(key)) || likelyText.MatchString(text) ||
		slices.ContainsFunc(parents, func(step string) bool { return slices.Contains(likelyParents, letters(step)) })
}

// suspect gives what may be a secret a reference if it can have one; else who
// imports it is told.
func (d *draft) suspect(release string, root *value, found plaintext.Found) {
	if render.ValuePath(found.Path).Validate() != nil {
		d.note(found.Position, found.Path, "may be a secret, and no chart value in a list, or below a key with a dot, can come from a Secret: if it is one, let the chart read it from one (existingSecret, or valueFrom of an environment variable)")
		return
	}
	d.hide(release, root, found)
}

// refers is a text that only says where a secret is.
var refers = regexp.MustCompile(`^\s*(?:\$\([^)]*\)|\$\{[^}]*\}|\{\{.*\}\})\s*$`)

func letters(key string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(key))
}
