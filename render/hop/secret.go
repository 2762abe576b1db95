package hop

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// secrets knows which values are secret, and what stands in their places.
type secrets map[string]bool

func newSecrets(paths []string) secrets {
	s := secrets{}
	for _, one := range paths {
		s[one] = true
	}
	return s
}

// has reports whether the value at a path is a secret: the caller says so, or its name
// does.
func (s secrets) has(at path) bool {
	for i := range at {
		if s[at[:i+1].String()] {
			return true
		}
	}
	for name := range s { // an item of a list
		if rest, ok := strings.CutPrefix(name, at.String()); ok && strings.HasPrefix(rest, "[") {
			return true
		}
	}
	return plaintext.Key(at.last()) != nil
}

// hidden gives values with a text in the place of every secret, another one for each.
// What gives empty stays so.
func (s secrets) hidden(values map[string]any) map[string]any {
	for _, l := range leavesOf(values) {
		if s.has(l.path) && !isEmpty(l.value) {
			values = with(values, l.path, masked(l.path.String(), l.value))
		}
	}
	return values
}

// masked gives what stands in the place of a secret: letters and digits, which every chart
// takes for a password.
func masked(at string, value any) any {
	switch value := value.(type) {
	case string:
		sum := sha256.Sum256([]byte(at))
		return standIn + hex.EncodeToString(sum[:10])
	case []any:
		all := make([]any, len(value))
		for i, item := range value {
			all[i] = masked(fmt.Sprintf("%s[%d]", at, i), item)
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for key, item := range value {
			all[key] = masked(at+"."+key, item)
		}
		return all
	}
	return value
}

// standIn begins what stands in the place of a secret, and probing what stands in the
// place of any value that is tried out.
const (
	standIn = "Pm9s"
	probing = "pm9q"
)

var standIns = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(` + standIn + `[0-9a-f]{20}|` + probing + `[0-9a-z]*)`)
})

// redacted gives a chart's own message without what we put into the values.
func redacted(message string) string {
	message = standIns().ReplaceAllString(message, "(hidden)")
	if len(message) > mostMessage {
		message = strings.ToValidUTF8(message[:mostMessage], "") + "…"
	}
	return text.Visible(message)
}

// mostMessage limits how many bytes of a chart's message are shown.
const mostMessage = 2000
