package text_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/text"
)

func TestMarkdownText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"the server is ready (it waits).":  "the server is ready (it waits).",
		"\"quoted\", and Größe; isn't it?": "\"quoted\", and Größe; isn't it?",
		"@team and @org/team":              "`@team` and `@org/team`",
		"see #12, !13 and a/b#14.":         "see `#12`, `!13` and `a/b#14`.",
		"GH-1 ABC-12 cve-2024-1":           "`GH-1 ABC-12 cve-2024-1`",
		"fixes #1":                         "fixes `#1`",
		"commit d8a994e ok":                "commit `d8a994e` ok",
		"at https://a.b/c?d=e&f.":          "at `https://a.b/c?d=e&f`.",
		"www.a.test, a@b.test":             "`www.a.test`, `a@b.test`",
		"**bold** _it_ ~~no~~ <b>x</b>":    "`**bold** _it_ ~~no~~ <b>x</b>`",
		"[a](b) ![c](d) [x]: y":            "`[a](b`) `![c](d`) `[x]`: y",
		"# heading":                        "`#` heading",
		"1. item":                          "`1`. item",
		"- [ ] task":                       "`- [ ]` task",
		"> quote":                          "`>` quote",
		"===":                              "`===`",
		": term":                           "`:` term",
		"/close now":                       "`/close` now",
		"a | b":                            "a &#124; b",
		"a|b":                              "`a`&#124;`b`",
		"x `y` z``":                        "x ``` `y` z`` ```",
		"&lt;b&gt; :tada: $x$ %1 ~bug":     "`&lt;b&gt`; `:tada`: `$x$ %1 ~bug`",
		"line\nbreak\x1b[31m":              "`line\\nbreak\\x1b[31m`",
		"right\u202eleft":                  "`right\\u202eleft`",
		"[skip ci]":                        "`[skip\u00a0ci]`",
		"version 2025.10.1 -> 2025.10.2":   "version `2025.10.1 -> 2025.10.2`",
	} {
		if got := text.MarkdownText(in); got != want {
			t.Errorf("MarkdownText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMarkdownCode(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "`a`", "a`b": "``a`b``", "`": "`` ` ``", "``a": "``` ``a ```", " ": "`   `", " a ": "`  a  `",
		"a|b|": "`a`&#124;`b`&#124;", "a\nb": "`a\\nb`", "Closes: #1": "`Closes:\u00a0#1`",
	} {
		if got := text.MarkdownCode(in); got != want {
			t.Errorf("MarkdownCode(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMarkdownCell(t *testing.T) {
	if got, want := text.MarkdownCell("a\nb #1|\n"), "a<br>b `#1`&#124;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHTMLCode(t *testing.T) {
	if got, want := text.HTMLCode("</code></summary> & fixes #1\n"), "<code>&lt;/code&gt;&lt;/summary&gt; &amp; fixes\u00a0#1\\n</code>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMarkdownFence: no line ends the block, runs, or closes an issue there.
func TestMarkdownFence(t *testing.T) {
	in := "```\n/close\n+fix issues group/a#1, resolves ABC-2 and closes https://a.b/c/-/issues/1\n+[no ci] <!-- pm-gitops:plan=x -->\n~~~~\x1b\n"
	want := "````diff\n```\n\u00a0/close\n+fix\u00a0issues\u00a0group/a#1, resolves\u00a0ABC-2 and closes\u00a0https://a.b/c/-/issues/1\n+[no\u00a0ci] <!--\u00a0pm-gitops:plan=x -->\n~~~~\\x1b\n````\n"
	if got := text.MarkdownFence("diff", in); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if plain := "a: 1 # a comment\nfix the rest\n"; !strings.Contains(text.MarkdownFence("", plain), plain) {
		t.Error("changes what is harmless")
	}
}
