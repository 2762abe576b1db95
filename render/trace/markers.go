package trace

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// shapes is what markers look like, each made of 64 hexadecimal digits. The
// first shows what becomes of letters that mean something in a URL or in JSON
// and nothing in YAML; the others are for charts and schemas that want
// something else of a secret.
var shapes = []func(digits string) string{
	func(digits string) string { return "Pm1" + digits[:32] + "@&zZ9" },
	func(digits string) string { return "Pm1" + digits[:29] }, // 32 letters and digits
	func(digits string) string { return digits },
	func(digits string) string { return digits[:32] },
	func(digits string) string { return "Pm1" + digits[:13] },
	func(digits string) string {
		return digits[:8] + "-" + digits[8:12] + "-4" + digits[13:16] + "-8" + digits[17:20] + "-" + digits[20:32]
	},
	func(digits string) string { return "https://" + digits[:32] + ".example.com" },
	func(digits string) string { return base64.StdEncoding.EncodeToString([]byte(digits[:32])) },
	func(digits string) string { return "9" + strings.Map(number, digits[:31]) },
}

// number makes a digit of a hexadecimal one.
func number(r rune) rune {
	if r >= 'a' {
		return r - 'a' + '0'
	}
	return r
}

// marker is what stands for the secret value at a path, or another one.
func (t *tracer) marker(path string, other bool) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%v", path, other))
	return shapes[t.shapes[path]](hex.EncodeToString(sum[:]))
}

// redact takes the markers out of an error, in whatever form they are: it may
// repeat what a chart or its schema refuses.
func (t *tracer) redact(err error) error {
	text := err.Error()
	for _, input := range t.release.SecretInputs {
		for _, other := range []bool{false, true} {
			word := regexp.MustCompile(`[^\s'"]*` + regexp.QuoteMeta(core(t.marker(input.Path, other))) + `[^\s'"]*`)
			text = word.ReplaceAllString(text, "SECRET")
		}
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// The words for what became of a value.
const (
	part    = "part"
	derived = "derived"
)

// deepest is how many encodings inside one another are undone.
const deepest = 3

// find looks for a marker in a text, and says what became of it.
func find(text, marker string) (encoding string, found bool) {
	return findIn(text, marker, deepest)
}

func findIn(text, marker string, depth int) (encoding string, found bool) {
	for _, form := range []struct{ encoding, text string }{
		{"", marker},
		{"urlquery", url.QueryEscape(marker)},
		{"urlquery", url.PathEscape(marker)},
		{"json", strings.ReplaceAll(marker, "&", `\u0026`)},
		{part, core(marker)},
	} {
		if strings.Contains(text, form.text) {
			return form.encoding, true
		}
	}
	if depth == 0 {
		return "", false
	}
	for _, word := range base64Form().FindAllString(text, -1) {
		inner, found := findIn(unbase64(word), marker, depth-1)
		switch {
		case found && inner == "":
			return "base64", true
		case found:
			return "base64 of " + inner, true
		}
	}
	return "", false
}

// core is a part of a marker that says which one it is, and that no encoding
// of letters changes.
func core(marker string) string {
	if rest, ok := strings.CutPrefix(marker, "https://"); ok {
		marker = rest
	}
	return marker[:12]
}

// base64Form is a text that can be base64, of one of the two alphabets.
var base64Form = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`) })

func unbase64(word string) string {
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if data, err := encoding.DecodeString(word); err == nil {
			return string(data)
		}
	}
	return ""
}
