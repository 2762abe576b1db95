package proposal_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/proposal"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// hostile are texts that a chart, a registry, a forge or a file may have.
var hostile = []string{
	"@everyone", "@org/team", "a@b.test", "@dependabot rebase", "fixes #1", "Closes: group/project#2, #3", "resolves GH-4", "implements ABC-5",
	"closes https://gitlab.test/a/b/-/issues/6", "see !7 $8 %9 &10 ~bug ^alert#11 *iteration:12 :tada:", "/close", "/label ~x\n/merge\n/approve", "x\n/close\n",
	"[skip ci]", "[ci skip] ***NO_CI***", "# heading", "heading\n=======", "heading\n---", "---", "***", "- [x] <!-- pm-gitops:rebase --> rebase", "- [ ] task", "1. one", "> quote", "> [!WARNING]\n> x", ": definition",
	"```\n@me", "````", "~~~", "`", "``x`` `y", "\\`\\", "|", "a|b|", "\\|", "`|`", "<!-- pm-gitops:plan=sha256:0 target=x -->", "-->", "<!--", "</details>", "</summary></details><img src=https://evil.test/x.png>",
	"<details open>", "<script>alert(1)</script>", "<a href=x>", "[a](https://evil.test)", "![x](https://evil.test/x.png)", "[x]: https://evil.test", "[^1]", "[^1]: note", "[[wiki]]", "[[_TOC_]]",
	"https://evil.test/a", "www.evil.test", "ftp://evil.test", "mailto:a@b.test", "<https://evil.test>", "github.com/a/b/issues/1", "d8a994ef243349f321568f9e36d5c3f444b99cae", "a/b@d8a994ef",
	"**bold** __bold__ *it* _it_ ~~no~~ $x$ $$y$$", "{+ add +} {- del -}", "&lt;b&gt; &#64;me &commat;me", "\x1b[31mred\x07", "\x00", "\r\n/close", "a\u202eb\u2066c\u200bd\ufeff", "\xff\xfe", "\u2028/close\u2029", "\v/close",
	"%{project_path}", "```suggestion\nx\n```", "```mermaid\nclick x\n```", "\t/close", "    indented", "", " ", "\n\n\n", strings.Repeat("`", 70), strings.Repeat("|", 200), strings.Repeat("@a ", 500), strings.Repeat("\u202e", 500),
}

// filled gives facts in which every text is a given one, and every state and line a number.
func filled[T any](text string, number int64, changes diff.Result) T {
	var facts T
	fill(reflect.ValueOf(&facts).Elem(), text, number, changes)
	return facts
}

func fill(v reflect.Value, text string, number int64, changes diff.Result) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int:
		v.SetInt(number)
	case reflect.Bool:
		v.SetBool(number%2 == 0)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), text, number, changes)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[diff.Result]() {
			v.Set(reflect.ValueOf(changes))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text, number, changes)
		}
	}
}

// hostileChanges compares objects in which every text is a given one.
func hostileChanges(text string) diff.Result {
	quoted, _ := json.Marshal(text)
	side := func(value string) []diff.Document {
		both, _ := json.Marshal(value + text)
		yaml := fmt.Sprintf(`{"apiVersion": "v1", "kind": %s, "metadata": {"name": %[1]s, "namespace": %[1]s}, "data": {%[1]s: %[2]s, "lines": %[2]s}}`, quoted, both)
		list := fmt.Sprintf(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": %s}}`, both)
		return []diff.Document{{Within: text, Source: text, Namespace: "n", YAML: []byte(yaml)}, {Within: text + "x", Source: "s", Namespace: "n", YAML: []byte(list)},
			{Within: text, Source: "y", YAML: []byte("- " + value + string(both) + "\n")}}
	}
	return compare(side("1\n"), side("2\n"))
}

// checkHostile checks all that is written of facts in which every text is a given one.
func checkHostile(t *testing.T, text string, limits ...int) {
	t.Helper()
	changes := hostileChanges(text)
	for number := range int64(5) { // all states
		p, c := filled[proposal.Patch](text, number, changes), filled[proposal.Change](text, number, changes)
		limit := limits[number%int64(len(limits))]
		checkBody(t, p.Body(limit), limit)
		checkBody(t, c.Body(limit), limit)
		// Titles and messages are no Markdown: there is no code in them.
		for _, text := range []string{p.Title(), p.Message()} {
			plain := strings.NewReplacer("fix(prefect/", "", "[blocked] ", "", "->", "").Replace(text)
			if strings.ContainsAny(plain, "@#![]<>~%&$*`|\\") || closing.MatchString(text) || strings.Contains(text, "\n/") || !utf8.ValidString(text) {
				t.Errorf("title or message %q", text)
			}
		}
		for _, title := range []string{p.Title(), c.Title()} {
			if utf8.RuneCountInString(title) > 200 || strings.ContainsAny(title, "\n\r\x00\x1b") {
				t.Errorf("title %q", title)
			}
		}
	}
}

// TestHostileTexts: whatever text is anywhere in the facts is a text.
func TestHostileTexts(t *testing.T) {
	for _, text := range hostile {
		for _, text := range []string{text, "x " + text + "\n" + text} {
			t.Run(fmt.Sprintf("%.40q", text), func(t *testing.T) { checkHostile(t, text, 65_536, 4_000) })
		}
	}
}

func FuzzBody(f *testing.F) {
	f.Add(hostile[0], 4_000)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit >= 0 && len(text) < 10_000 {
			checkHostile(t, text, limit%100_000)
		}
	})
}

// FuzzText does so for every place that a text can be in.
func FuzzText(f *testing.F) {
	for _, one := range hostile {
		f.Add(one)
	}
	f.Fuzz(func(t *testing.T, one string) {
		sentence, code, cell := text.MarkdownText(one), text.MarkdownCode(one), text.MarkdownCell(one)
		body := "**Routine.** " + sentence + "\n\n- " + sentence + "\n- " + code + ": " + sentence + " → " + code + "\n\n| a | b | c |\n|---|---|---|\n| " + sentence + " | " + code + " | " + cell + " |\n\n" +
			"<details><summary>added " + text.HTMLCode(one) + "</summary>\n\n" + text.MarkdownFence("diff", one) + "\n</details>\n\n### Rollback\n"
		checkBody(t, body, len(body))
		if got := parse(body); len(got.headings) != 1 || len(got.fences) != 1 {
			t.Errorf("headings %q and fences %q", got.headings, got.fences)
		}
	})
}
