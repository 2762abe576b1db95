package text_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/text"
)

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                                "plain",
		"é 🇳🇴":                                 "é 🇳🇴",
		"\x1b[31mred":                          `\x1b[31mred`,
		"a\nb\tc\r":                            `a\nb\tc\r`,
		"it's\x00":                             `it's\x00`,
		"\u202eabc":                            `\u202eabc`, // right to left
		"\u2028":                               `\u2028`,
		"a\u200bb\u2060\ufeff\u00ad\U000e0041": `a\u200bb\u2060\ufeff\u00ad\U000e0041`, // without a width
		"a\u3164\u115f\uffa0\u034f":            `a\u3164\u115f\uffa0\u034f`,            // printable to Go
		"a\ufe0f \u26a0\ufe0f \ufe01\ufe0f":    "a\\ufe0f \u26a0\ufe0f \\ufe01\\ufe0f",
		"\x9b31m \xff":                         `\x9b31m \xff`, // CSI in eight bits
		"\u009b \ufffd":                        "\\u009b \ufffd",
		"a ##[error]b ##vso[task.complete] ## [x] #[y] ##z": "a ## [error]b ## vso[task.complete] ## [x] #[y] ##z",
	} {
		if got := text.Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"a\r\nb\x1b\n":                          "a\\r\nb\\x1b\n",
		"a\n::error::b\n \t::set-output name=c": "a\n| ::error::b\n|  \t::set-output name=c",
		"\u2028::error::b":                      `| \u2028::error::b`,
		"a\n\n##[group]b\xff\tc\n":              "a\n\n## [group]b\\xff\tc\n",
		"a\r\n\tb ::":                           "a\\r\n\tb ::",
		"::stop":                                "| ::stop",
		"a::b":                                  "a::b",
	} {
		if got := text.VisibleLines(in); got != want {
			t.Errorf("VisibleLines(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"a\"b\n":                  `"a\"b\n"`,
		strings.Repeat("é", 60):   `"` + strings.Repeat("é", 60) + `"`,
		strings.Repeat("é", 61):   `"` + strings.Repeat("é", 60) + `"…`,
		strings.Repeat("\n", 100): `"` + strings.Repeat(`\n`, 60) + `"…`,
	} {
		if got := text.Quoted(in); got != want {
			t.Errorf("Quoted(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 problems", 1: "1 problem", 2: "2 problems"} {
		if got := text.Count(n, "problem"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSuggest(t *testing.T) {
	many := strings.Fields("a1 b2 c3 d4 e5 f6 g7 h8 i9")
	tests := []struct {
		name    string
		allowed []string
		want    string
	}{
		{"flx", []string{"flux", "argo"}, `: did you mean "flux"?`},
		{"FLUX", []string{"flux", "argo"}, `: did you mean "flux"?`},
		{"prefect", []string{"other", "prefect-cloud"}, `: did you mean "prefect-cloud"?`}, // a beginning
		{"bat", []string{"cat", "bar"}, `: did you mean "bar"?`},                           // as near: the first in order
		{"octopus", []string{"flux", "argo"}, ": want flux or argo"},
		{"octopus", []string{"flux"}, ": want flux"},
		{"octopus", []string{"a", "b", "c"}, ": want a, b or c"},
		{"octopus", nil, ""},
		{"octopus", many, ""},
		{strings.Repeat("flux", 17), []string{"flux"}, ": want flux"},
	}
	for _, tt := range tests {
		if got := text.Suggest(tt.name, tt.allowed); got != tt.want {
			t.Errorf("Suggest(%q, %q) = %q, want %q", tt.name, tt.allowed, got, tt.want)
		}
	}
}

// TestClosest: a name is proposed for what is of its kind, and a secret's for
// nothing but another spelling of it.
func TestClosest(t *testing.T) {
	of := func(name string, kind text.Kind, secret bool) text.Name {
		return text.Name{Text: name, Kind: kind, Secret: secret}
	}
	for _, tt := range []struct {
		meant, allowed text.Name
		near           bool
	}{
		{of("urk", "", false), of("url", "", false), true},
		{of("ulr", "", false), of("url", "", false), true}, // two letters swapped
		{of("uid", "", false), of("url", "", false), false},
		{of("userName", "", false), of("url", "", false), false},
		{of("image", text.Mapping, false), of("images", text.Mapping, false), true},
		{of("image", text.Text, false), of("images", text.Mapping, false), false},
		{of("image", text.List, false), of("images", text.Mapping, false), false},
		{of("image", text.Text, false), of("images", text.List, false), false},
		{of("replica", text.Number, false), of("replicas", text.Number, false), true},
		{of("replica", text.Text, false), of("replicas", text.Number, false), false},
		{of("replica", text.Text, false), of("replicas", text.Scalar, false), true},
		{of("replica", text.Boolean, false), of("replicas", text.Text, false), false},
		{of("replica", "", false), of("replicas", text.Mapping, false), true},
		{of("userPassword", "", true), of("user_password", "", true), true},
		{of("userPasswor", "", false), of("userPassword", "", true), false},
		{of("userPassword", "", true), of("userPasswords", "", false), false},
		{of("password1", "", true), of("password2", "", true), false},
	} {
		if got := text.Closest(tt.meant, []text.Name{tt.allowed}).Text != ""; got != tt.near {
			t.Errorf("Closest(%+v, %+v) = %t", tt.meant, tt.allowed, got)
		}
	}
}

// Words are quoted where a shell would take them for something else.
func TestShellArgument(t *testing.T) {
	for word, want := range map[string]string{
		"environments/prod.yaml": "environments/prod.yaml",
		"a=b,c:d@e+f_g-h":        "a=b,c:d@e+f_g-h",
		"":                       "''",
		"my file.yaml":           "'my file.yaml'",
		"it's":                   `'it'\''s'`,
		"~":                      "'~'",
		"$HOME":                  "'$HOME'",
		"ü":                      "'ü'",
	} {
		if got := text.ShellArgument(word); got != want {
			t.Errorf("ShellArgument(%q) = %s, want %s", word, got, want)
		}
	}
}
