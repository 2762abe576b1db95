package diff_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
)

// TestHostileTexts: whatever a chart or a repository holds is compared in
// bounds, and every format can print it.
func TestHostileTexts(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		name, before := string(rune('b'+i)), string(rune('a'+i))
		bomb += name + ": &" + name + " [" + strings.Repeat("*"+before+",", 9) + "*" + before + "]\n"
	}
	for name, test := range map[string]struct{ old, new string }{
		"aliases":         {bomb, strings.Replace(bomb, "x", "y", 1)},
		"deep lists":      {strings.Repeat("[", 5000) + "1" + strings.Repeat("]", 5000), strings.Repeat("[", 5000) + "2" + strings.Repeat("]", 5000)},
		"deep mappings":   {strings.Repeat("{a: ", 3000) + "1" + strings.Repeat("}", 3000), strings.Repeat("{a: ", 3000) + "2" + strings.Repeat("}", 3000)},
		"one long text":   {"a: " + strings.Repeat("x", 1<<20), "a: " + strings.Repeat("y", 1<<20)},
		"many lines":      {"a: |\n" + strings.Repeat("  same\n", 50_000), "a: |\n" + strings.Repeat("  same\n", 49_999)},
		"many keys":       {keys(20_000, "a"), keys(20_000, "b")},
		"many documents":  {strings.Repeat("---\na: 1\n", 3000), strings.Repeat("---\na: 2\n", 3000)},
		"lists in lists":  {strings.Repeat("kind: List\nitems:\n- ", 1) + strings.Repeat("{kind: List, items: [", 50) + strings.Repeat("]}", 50), "kind: List\nitems: []"},
		"a fence":         {"a: 1", "a: '" + strings.Repeat("`", 50_000) + "'"},
		"control":         {"a: \"\\e]0;x\\a\"", "a: \"\\e[31m\\0\\r\""},
		"control in keys": {"? \"\\e[31m\"\n: 1", "? \"\\e[31m\"\n: 2"},
		"control, text":   {"a: [\x1b[31m", "a: {\x1b[31m\r\x00"},
	} {
		result := diff.Compare(documents(test.old), documents(test.new)).Effects(render.ByHelm)
		if len(result.Changes) == 0 {
			t.Errorf("%s: no changes", name)
		}
		for format, text := range formats(t, result) {
			if strings.ContainsAny(text, "\x1b\x00\a\r") {
				t.Errorf("%s as %s steers a terminal: %.200q", name, format, text)
			}
			if format == "md" && len(text) > diff.MaxMarkdown {
				t.Errorf("%s: %d bytes of Markdown", name, len(text))
			}
		}
	}
}

func keys(n int, value string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("k" + strings.Repeat("i", i%7) + string(rune('a'+i%26)) + strings.Repeat("0", i/500) + ": " + value + "\n")
	}
	return b.String()
}

// TestUnifiedIsAPatch: the patch program makes the new side of the old one, as
// they are written there.
func TestUnifiedIsAPatch(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Skip("no patch program in PATH")
	}
	for name, test := range map[string]struct{ old, new string }{
		"a field":       {"a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\n", "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 8\n"},
		"two hunks":     {"a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\ni: 9\n", "a: 0\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\ni: 0\n"},
		"lists of maps": {"a:\n- x: 1\n- x: 2\n", "a:\n- x: 2\n- x: 3\n- x: 4\n"},
		"long texts":    {"a: |\n  one\n  two\n", "a: |\n  one\n  three\n\n  two\n"},
	} {
		dir := t.TempDir()
		file, change := filepath.Join(dir, "s"), filepath.Join(dir, "change")
		whole := func(text string) string { // as one that is added has it
			unified := diff.Unified(diff.Compare(nil, documents(text)), nil)
			var b strings.Builder
			for line := range strings.Lines(unified) {
				if rest, ok := strings.CutPrefix(line, "+"); ok && !strings.HasPrefix(line, "+++ ") {
					b.WriteString(rest)
				}
			}
			return b.String()
		}
		for file, text := range map[string]string{file: whole(test.old), change: diff.Unified(diff.Compare(documents(test.old), documents(test.new)), nil)} {
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := exec.Command(patch, "-F0", "-s", file, change).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != whole(test.new) {
			t.Errorf("%s: patch made\n%s, want\n%s", name, got, whole(test.new))
		}
	}
}
