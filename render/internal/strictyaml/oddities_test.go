package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// oddities is YAML that people, and the YAML test suite, write in unusual ways.
var oddities = []string{
	// plain
	"a: b", "a: b ", "a:  b  # c", "a: b#c #d", "a: b\n  c\n  d\n", "a: b\n\n  c # d\n", "a:\n  b\n   c\n\n\n   d\n", "a: b:c\n", "a: -b\n", "a: ?b\n", "a: :b\n",
	"a: http://b:80/?c=d#e\n", "a b: c d\n", "a:\tb\t\n", "a: b\tc\n", "a: b \t\n\t \n  c\n", "- a: b\n- c\n", "a:\n- b\n-  c\n-\n- d\n", "- - a\n  - b\n-   - c\n", "-\ta\n", "a:\n  - b: 1\n    c: 2\n  - d\n",
	"a: '\n---\n", "--- a\n", "---\na: 1\n...\n", "--- # c\na: 1\n", "--- &a\nb: 1\n", "---\n", "--- &x\n", "--- !!str\n", "--- |\n a\n", "%YAML 1.2\n---\na: 1\n", "%TAG !e! tag:e.org,2000:\n---\na: !e!x 1\nb: [!e!x {c: !e!y d}]\n",
	"a: 1\n\n\n# end\n", "# start\n\na: 1", "  a: 1\n  b: 2\n", "a:\n # c\n  b: 1\n # d\n  c: 2\n", "a: 1 # é\nb: 2\n", "a: 2001-01-01\nb: 0x1\nc: .5\nd: ~\n",
	// quoted
	"a: ''\nb: \"\"\n", "a: 'it''s'\n", "a: ''''\n", "a: 'b\n  c\n\n  d'\n", "a: \"b\\\n  c\\\n\n  \\ d\"\n", "a: \"\\\"\"\n", "a: \"\\\\\"\n", "a: \"\\x41\\u00e9\\U0001F600\\N\\_\\L\\P\\e\"\n", "'a': 1\n\"b\": 2\n", "\"a\\\"b\": 'c'\n", "a: \"b # c\" # d\n", "a: 'b'#c\n",
	"a: \"b\\\u0085c\"\n", "a: \"b\\\r\n c\"\n", "\"a\" : 1\n'b'  : 2\n", "a: \"b\n\tc\"\n",
	// block scalars
	"a: |\n  b\nc: d\n", "a: >\n  b\n  c\n\n  d\n   e\n  f\n", "a: |-\n  b\n\nc: d\n", "a: |+\n  b\n\n\nc: d\n", "a: |+\n\n\nb: c\n", "a: |\n\n\nb: c\n", "a: |2\n    b\n   c\n", "a: |2-\n   b\n", "a: >+1\n  b\n\n", "a: | # c\n  b\n", "a: |\n  b", "a: |\n  b\n ", "a: |\n  b\n  \n   ", "a: |", "a: >-\n",
	"a: |\n  b\n # c\nd: 1\n", "- |\n b\n- >\n c\n", "- - |2\n      a\n", "a:\n- |1\n  b\n- |\n  c\n", "a: |\n    \n   \n    b\n", "a: |\n  # b\n  c\n", "a: &x |\n  b\nc: *x\n", "a: !!str |\n  b\n", "a: &x\n  |\n  b\n", "? |\n  a\n: |\n  b\n", "a:\n  b: |+\n    c\n\n# d\ne: 1\n", "a: >\n  b\n\tc\n  d\n", "--- >2\n   a\n  b\n",
	"a:\n  b: |2\n      c\n  d: e\n", "a:\n  b: |\n  c: d\n", "- - |\n  - b\n", "a:\n  - b: >1-\n       c\n\n    d: e\n", "a:\n  b: |\n\n\n  c: d\n",
	"a: |\n  ---\n  ...\n", "a: >\r\n  b\r\n  c\r\n\r\nd: 1\r\n", "a: |\n  é\n  \u00a0b\n", "a: |\n  b\u0085  c\u2028  d\u2029e: 1\n",
	// flow
	"a: [b, 'c', \"d\", [e], {f: g}]\n", "a: {b: 1, c: , d: 2}\n", "a: {b, c: 1}\n", "a: {\"b\":1,'c':2}\n", "a: [b: c, d]\n", "a: [? b : c, ? d, ? e :]\n", "a: {? b : c, ? d, ? e :}\n", "a: [\n  b, # c\n  d,\n]\n", "a: {\n  b: c\n  d\n, e: # f\n  g\n}\n", "a: []\nb: {}\nc: [ ]\nd: {\n}\n", "[a]\n", "{a: b}", "a: [b,,]\n",
	"a: [\"b\":c]\n", "a: {b: [c, {d: e}], f: [[]]}\n", "{ ? a : b, ? 'c' }\n", "a: [b\n c, d\n\n e]\n", "a: {http://b: c:d}\n", "a: [ - b]\n", "a: [b, \n# c\n]\n", "a: {b: !!str , c: &x , d: *x }\n", "a: {\"b\": }\n", "a: [{b: c}: d]\n", "a: {b: |\n}\n", "{a: b}: c\n", "- {a: 1}\n- [b]\n", "a: ['b':c]\n", "a: {'b' : c, d : e}\n", "a: [[b: c]: d]\n", "a: [&x b: c, &y [d], *x ]\n",
	// anchors, tags, aliases, merge keys
	"a: &x b\nc: *x\n", "a: &x !!str 1\nb: !!str &y 2\nc: *y\n", "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n", "&k a: &v b\nc: *v\nd: *k\n", "&m\na: 1\n", "&m\n&k a: 1\n", "!!map\n!!str a: 1\n", "&m\n!!str a: 1\n", "a: &s\n- 1\n- *n\n", "a: &s\n- &n 1\n- *n\nb: *s\n",
	"a: &x {b: &y c}\nd: {<<: *x, e: *y}\nf:\n  <<: [*x, {g: h}]\n  b: i\n", "a: &x {b: {c: 1}}\nd: &z {<<: *x, e: 1}\nf: {<<: *z}\n", "a:\n  <<: {b: 1}\n  \"<<\": 2\n", "a: &x [1, {b: 2}]\nc: *x\nd: [*x]\n", "a: !<tag:yaml.org,2002:str> 1\n", "a: ! 1\nb: !x\nc: ! \n", "a: &x\nb: *x\n", "a: &x # c\n  b\n", "a: !!str # c\n  &x\n  # d\n  b\n",
	"a: &x\n! b: 1\n", "a: &x\n!!str b: 1\n", "a: !!str\n&x b: *x\n", "a: &x\n  !!str\nb: *x\n", "a: [&x\n! , b]\n", "- &x\n- !!str a\n", "a:\n  b: &x\n!!str c: *x\n", "a:\n  - &x\n  - !!str\n! b: *x\n",
	"? a\n&x b: *x\n", "? &x a\n: *x\n", "- &x a\n- b: *x\n", "a: &a-b_1 b\nc: *a-b_1\n", "!!str a: !!str b\n", "!!str : b\n", "a: &x |\n  b\n\nc: {d: *x}\n", "? !!str\n: a\n", "a: &x\n  &k b: c\n", "&x a : *x\n", "a: &x [*x]\n", "&k a:: *k\n", "a: !!merge b\n", "x: &x {a: 1}\nb:\n  !!merge c: *x\n", "a: [&x , b]\n", "a: !x{b}\n", "a: &x\n- b\nc: d\n",
	// explicit keys and values that are not there
	"? a\n: b\n", "? a\n? b\n: c\n", "? a\n", "? a # c\n# d\n: # e\n  b\n", "?   a\n:   - b\n    - c\n", "? a\n: ? b\n  : c\n", "? a\n  b\n: c\n", "a:\nb:\n", "a:", "a: # c\nb: 1\n", "-\n-\n", "- # c\n- a\n", "? \"a\"\n: 'b'\n? 'c'\n", "? a\n:\n? b\n:\n", "? a: b\n: c\n", "- ? a\n  : b\n", "- ? a\n- b\n", "? a\n:b: c\n", "a:\n  ? b\n  : c\n  d: e\n", "&m\n? a\n: b\n", "a:\n  &m\n  ? &k b\n",
	// characters
	"é: ü\n\"日本\": '😀' # ñ\n- : 1\n", "日: [本, {語: 😀, 'ü': \"é\"}]\n", "a: é\u0085b: c\u2028d: e\u2029f: [g,\u2028h]\n", "a: 'b\u0085 c\u2028 d\u2029\u2028 e'\n", "a: b\u2028  c\u2029\u0085  d\n", "\ufeffa: 1\n", "\ufeff# c\na: é\n", "\ufeff\ufeffa: 1\n", "a: [\n\ufeffb]\n", "a: b\ufeffc\n", "a: \"\ufeff\"\n", "a: 1\r\nb:\r\n  - c\r\n  -  d # e\r\n", "a: 1\rb: 2\r", "a: 'b\r\n  c'\r\n", "a: |\r  b\r  c\r", "# é\u2028a: b\n", "a: # é\u0085  b: c\n", "a: b # c\u2029d: e\n", "\ufeff- a\n- b\n", "\n\ufeff", "a: \ufeffb\n", "\ufeff[a, é]\n",
	"a: [b]\t# c\nd: e\t\n", "a:\t[\tb\t,\tc\t]\t\n", "é: &x ü\nb: [é, *x, é: *x]\n", "a: \"é\\\n  ü\"\nb: 'é\n  ü'\nc: é\n  ü\n", "a: |\n  é\n\n  ü\nb: >-\n  é\n  ü\n", "\ufeff&x a: *x\n", "\ufeff|\n a\n", "\ufeff  a: 1\n  b: 2\n",
}

func TestSourcesOfOddities(t *testing.T) {
	loaded := 0
	for _, text := range oddities {
		t.Run(text, func(t *testing.T) {
			if checkSources(t, []byte(text)) > 0 {
				loaded++
			}
			for _, data := range variants([]byte(text)) {
				checkSources(t, data)
			}
			checkEdits(t, []byte(text))
		})
	}
	if len(oddities)-loaded > 25 {
		t.Errorf("%d of %d files have no spans", len(oddities)-loaded, len(oddities))
	}
}

// sourceTests pins what edits rely on.
var sourceTests = []struct{ name, text, path, want string }{
	{"plain", "a:\n  b: c # d\n", "a.b", `plain "c" entry "b: c" at 2`},
	{"key", "a:\n  b: c # d\n", "a.b key", `plain "b" entry "b: c" at 2`},
	{"several lines", "a: b\n  c\n\n  d # e\nf: 1\n", "a", `plain "b\n  c\n\n  d" entry "a: b\n  c\n\n  d" at 0`},
	{"quotes", "a: 'it''s'\n", "a", `single-quoted "'it''s'" entry "a: 'it''s'" at 0`},
	{"escapes", `a: "\"\\"` + "\n", "a", `double-quoted "\"\\\"\\\\\"" entry "a: \"\\\"\\\\\"" at 0`},
	{"list", "a:\n  - b\n  -  c # d\n", "a[1]", `plain "c" entry "-  c" at 2`},
	{"list without indentation", "a:\n- b\n", "a[0]", `plain "b" entry "- b" at 0`},
	{"list in a list", "- - a\n  - b\n", "[0][1]", `plain "b" entry "- b" at 2`},
	{"whole list", "a:\n  - b\n  - c\n# d\n", "a", `block "- b\n  - c" entry "a:\n  - b\n  - c" at 0`},
	{"document", "# a\nb: c\n# d\n", "", `block "b: c" at -1`},
	{"literal", "a: |\n  b\n\nc: d\n", "a", `literal "|\n  b\n" entry "a: |\n  b\n" at 0`},
	{"literal to keep", "a: |+\n  b\n\nc: d\n", "a", `literal "|+\n  b\n\n" entry "a: |+\n  b\n\n" at 0`},
	{"folded", "a: >2- # d\n   b\n  c\nd: e\n", "a", `folded ">2- # d\n   b\n  c\n" entry "a: >2- # d\n   b\n  c\n" at 0`},
	{"flow", "a: [b, {c: d}]\n", "a", `flow "[b, {c: d}]" entry "a: [b, {c: d}]" at 0`},
	{"in flow", "a:\n  b: [{c: d , e: f}]\n", "a.b[0].c", `plain "d" entry "c: d" at 2 in flow`},
	{"item in flow", "a: [b , c]\n", "a[0]", `plain "b" at 0 in flow`},
	{"single pair", "a: [b: c, d]\n", "a[0]", `flow "b: c" at 0 in flow`},
	{"anchor and tag", "a: &x !!str b # c\n", "a", `plain "b" node "&x !!str b" entry "a: &x !!str b" at 0`},
	{"anchor of a mapping", "a: &x\n  b: c\n", "a", `block "b: c" node "&x\n  b: c" entry "a: &x\n  b: c" at 0`},
	{"anchor of a key", "&x a: b\n", "a key", `plain "a" node "&x a" entry "&x a: b" at 0`},
	{"anchor and its key", "&m\n&k a: b\n", "", `block "&k a: b" node "&m\n&k a: b" at -1`},
	{"alias", "a: &x b\nc: *x # d\n", "c", `alias "*x" entry "c: *x" at 0 of (plain "b" node "&x b" entry "a: &x b" at 0)`},
	{"behind an alias", "a: &x\n  b: c\nd: *x\n", "d.b", `plain "c" entry "b: c" at 2 via "*x"`},
	{"merged", "a: &x {b: c}\nd:\n  <<: *x\n", "d.b", `plain "c" entry "b: c" at 0 in flow via "*x"`},
	{"merged key", "a: &x {b: c}\nd:\n  <<: *x\n", "d.b key", `plain "b" entry "b: c" at 0 in flow via "*x"`},
	{"merged in place", "d:\n  <<: {b: c}\n", "d.b", `plain "c" entry "b: c" at 2 in flow via "{b: c}"`},
	{"merged behind an alias", "a: &x {b: &y c}\nd: &z\n  <<: *x\ne: *z\n", "e.b", `plain "c" node "&y c" entry "b: &y c" at 0 in flow via "*z"`},
	{"explicit key", "? a # b\n: c\n", "a", `plain "c" entry "? a # b\n: c" at 0`},
	{"explicit key without a value", "? a\n? b\n", "a key", `plain "a" entry "? a" at 0`},
	{"no colon", "a: {b}\n", "a.b", "unknown"},
	{"nothing", "a: # c\nb: d\n", "a", `plain "" entry "a:" at 0`},
	{"nothing in flow", "a: {b: , c: d}\n", "a.b", `plain "" entry "b:" at 0 in flow`},
	{"nothing in a list", "- a\n-\n", "[1]", `plain "" entry "-" at 0`},
	{"nothing behind an anchor", "a: &x # b\nc: d\n", "a", `plain "" node "&x" entry "a: &x" at 0`},
	{"no document", "---\n", "", "unknown"},
	{"CRLF", "a: b\r\nc: 'd\r\n  e'\r\n", "c", `single-quoted "'d\r\n  e'" entry "c: 'd\r\n  e'" at 0`},
	{"byte order mark", "\ufeffa: b\n", "a", `plain "b" entry "a: b" at 0`},
	{"columns are characters", "é: {ü: '😀', b: ñ} # ö\n", "é.b", `plain "ñ" entry "b: ñ" at 0 in flow`},
	{"NEL, LS and PS are line breaks", "a: é\u0085b: c\u2028d: e\u2029f: g\n", "f", `plain "g" entry "f: g" at 0`},
	{"they are in quotes, too", "a: 'b\u0085 c\u2028 d'\n", "a", `single-quoted "'b\u0085 c\u2028 d'" entry "a: 'b\u0085 c\u2028 d'" at 0`},
	{"tabs", "a:\t[\tb\t,\tc\t]\t\n", "a[1]", `plain "c" at 0 in flow`},
}

func TestSource(t *testing.T) {
	for _, tt := range sourceTests {
		t.Run(tt.name, func(t *testing.T) {
			root, problems := strictyaml.Load("f.yaml", []byte(tt.text))
			if problems != nil {
				t.Fatal(problems)
			}
			path, key := strings.CutSuffix(tt.path, " key")
			source, known := root.Find(path).Source()
			if key {
				source, known = entryOf(t, root, path).KeySource()
			}
			got := "unknown"
			if known {
				got = show(tt.text, source)
			}
			if got != tt.want {
				t.Errorf("%q: got\n%s, want\n%s", tt.text, got, tt.want)
			}
		})
	}
}

// entryOf finds the entry at a path.
func entryOf(t *testing.T, root *strictyaml.Value, path string) strictyaml.Entry {
	parent, key := root, path
	if i := strings.LastIndex(path, "."); i >= 0 {
		parent, key = root.Find(path[:i]), path[i+1:]
	}
	for _, entry := range parent.Entries {
		if entry.Key == key {
			return entry
		}
	}
	t.Fatalf("no key %s", path)
	return strictyaml.Entry{}
}

// show writes a source as a line, with the text of its spans.
func show(text string, s strictyaml.Source) string {
	cut := func(s strictyaml.Span) string { return text[s.Start:s.End] }
	styles := []string{"plain", "single-quoted", "double-quoted", "literal", "folded", "block", "flow", "alias"}
	line := fmt.Sprintf("%s %q", styles[s.Style], cut(s.Content))
	if s.Node != s.Content {
		line += fmt.Sprintf(" node %q", cut(s.Node))
	}
	if s.Entry != s.Node {
		line += fmt.Sprintf(" entry %q", cut(s.Entry))
	}
	line += fmt.Sprintf(" at %d", s.Indent)
	if s.InFlow {
		line += " in flow"
	}
	if s.Elsewhere() {
		line += fmt.Sprintf(" via %q", cut(s.Via))
	}
	if s.Anchored != nil {
		line += " of (" + show(text, *s.Anchored) + ")"
	}
	return line
}

// TestSourceUnknown: what no file holds has no source, and neither has what
// was not read by Load.
func TestSourceUnknown(t *testing.T) {
	root, problems := strictyaml.Load("f.yaml", []byte("a: 1\nb: 2\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	root.Put([]string{"a"}, &strictyaml.Value{Tag: "!!str", Text: "x"})
	documents, problems := strictyaml.LoadAll("s.yaml", []byte("a: 1\n---\nb: 2\n"))
	if problems != nil {
		t.Fatal(problems)
	}
	for _, v := range []*strictyaml.Value{nil, {}, root.Get("a"), documents[0].Root, documents[1].Root.Get("b")} {
		if source, known := v.Source(); known {
			t.Errorf("%+v has the source %+v", v, source)
		}
	}
	if source, known := (root.Entries[0]).KeySource(); known {
		t.Errorf("the key of a value that was put has the source %+v", source)
	}
	if _, known := root.Get("b").Source(); !known {
		t.Error("b has no source")
	}
}

// TestByteOrderMark: one within a file is refused, since it makes the library drop
// characters elsewhere: of "\ufeff\ufeffa: 1\nbc: 2\n" it reads the keys a and c.
func TestByteOrderMark(t *testing.T) {
	const refusal = `a byte order mark (U+FEFF) may only be the first character of a file: delete it, or write "\ufeff" in double quotes`
	for _, tt := range []struct{ text, at string }{
		{"\ufeffa: 1\n", ""},
		{"\ufeff# c\na: 1\n", ""},
		{"a: \"\\ufeff\"\n", ""},
		{"a: \"b\\uFEFFc\"\n", ""},
		{"\ufeff\ufeffa: 1\nbc: 2\n", "1:2"},
		{"a: \ufeff\nb", "1:4"},
		{"a: 1\n\ufeffb: 2\n", "2:1"},
		{"a: 1\nb: c\ufeffd\n", "2:5"},
		{"a: \"\ufeff\"\n", "1:5"},
		{"a: '\ufeff'\n", "1:5"},
		{"a: |\n  \ufeffb\n", "2:3"},
		{"a: 1 # é\ufeff\n", "1:9"},
		{"a: 1\n\ufeff", "2:1"},
	} {
		_, problems := strictyaml.Load("f.yaml", []byte(tt.text))
		_, ofStream := strictyaml.LoadAll("f.yaml", []byte(tt.text))
		want := ""
		if tt.at != "" {
			want = "f.yaml:" + tt.at + ": " + refusal
		}
		if problems.Error() != want || ofStream.Error() != want {
			t.Errorf("%q: %v, as a stream %v, want %q", tt.text, problems, ofStream, want)
		}
	}
	_, problems := strictyaml.LoadAll("f.yaml", []byte("a: 1\n---\n\ufeffb: 2\n"))
	if want := "f.yaml:3:1: " + refusal; problems.Error() != want {
		t.Errorf("the second document: %v, want %q", problems, want)
	}
}

// TestSourceMerged: what a parent gives is written in the parent.
func TestSourceMerged(t *testing.T) {
	load := func(name, text string) *strictyaml.Value {
		root, problems := strictyaml.Load(name, []byte(text))
		if problems != nil {
			t.Fatal(problems)
		}
		return root
	}
	parentText, childText := "a: {b: 1, c: 2}\nd: 3\n", "# child\na:\n  c: 4\n"
	merged := strictyaml.Merge(load("parent.yaml", parentText), load("child.yaml", childText))
	for path, want := range map[string]string{
		"a.b": `parent.yaml plain "1" entry "b: 1" at 0 in flow`,
		"a.c": `child.yaml plain "4" entry "c: 4" at 2`,
		"a":   `child.yaml block "c: 4" entry "a:\n  c: 4" at 0`,
		"d":   `parent.yaml plain "3" entry "d: 3" at 0`,
	} {
		source, known := merged.Find(path).Source()
		text := map[string]string{"parent.yaml": parentText, "child.yaml": childText}[source.File]
		if got := source.File + " " + show(text, source); !known || got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	source, _ := merged.Find("a.c").Replaces.Source()
	if got := source.File; got != "parent.yaml" {
		t.Errorf("a.c replaces a value of %q", got)
	}
}
