package edit

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

const lists = `
a: {b.c: {"d e": 1}, "f": [{name: one, x: 1}, {name: "2", x: 2}, {name: 0}, [5]]}
"": 1
spec: {values: {x/y: [1]}}
same: [{name: s}, {name: s}]
plain: [1]
"k[0]": 1
`

// TestResolve: paths in all their forms lead to the same place as in findings.
func TestResolve(t *testing.T) {
	root, problems := strictyaml.Load("f.yaml", []byte(lists))
	if problems != nil {
		t.Fatal(problems)
	}
	tests := []struct{ path, want, wrong string }{
		{`a`, `a`, ``},
		{`a["b.c"]["d e"]`, `a["b.c"]["d e"]`, ``},
		{`a.b\.c.d e`, `a["b.c"]["d e"]`, ``},
		{`a[b.c].new`, `a["b.c"].new`, ``},
		{`a.f[0].x`, `a.f[0].x`, ``},
		{`a.f.0.x`, `a.f[0].x`, ``},
		{`a.f[one].x`, `a.f[0].x`, ``},
		{`a.f.one.x`, `a.f[0].x`, ``},
		{`a.f[2]`, `a.f[2]`, ``}, // an index before a name
		{`a.f["2"].x`, `a.f[1].x`, ``},
		{`a.f[3][0]`, `a.f[3][0]`, ``},
		{`a.f[9].x`, `a.f[9].x`, ``},
		{`spec.values["x/y"][0]`, `spec.values["x/y"][0]`, ``},
		{`spec.values.x/y[0]`, `spec.values["x/y"][0]`, ``},
		{`[""]`, `[""]`, ``},
		{`k\[0]`, `["k[0]"]`, ``},
		{`new[0].x`, `new[0].x`, ``},
		{`new[x].y`, `new.x.y`, ``},
		{`new.0`, `new.0`, ``},
		{``, ``, `the path is empty`},
		{`a..b`, ``, `a part of the path is empty`},
		{`.a`, ``, `a part of the path is empty`},
		{`a.`, ``, `a part of the path is empty`},
		{`a[`, ``, `want an index, a name or a key`},
		{`a[]`, ``, `want an index, a name or a key`},
		{`a["b]`, ``, `want ["KEY"]`},
		{`a["b"x]`, ``, `want ["KEY"]`},
		{`a[b]c`, ``, `want a dot or a bracket behind ]`},
		{`a.f[two]`, ``, `a.f is a list: no item has the name "two": want one, 2 or 0`},
		{`a.f[-1]`, ``, `a.f is a list: no item has the name "-1"`},
		{`same[s]`, ``, `same is a list: several of its items have the name "s"`},
		{`plain.x`, ``, `plain is a list: want an index from 0 to 0`},
	}
	for _, test := range tests {
		steps, err := resolve(root, test.path)
		switch {
		case test.wrong != "":
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("resolve(%q) = %v, %v, want %s", test.path, steps, err, test.wrong)
			}
		case err != nil || format(steps) != test.want:
			t.Errorf("resolve(%q) = %s, %v, want %s", test.path, format(steps), err, test.want)
		}
	}
}

// TestResolveAll: every path that findings could print of a file leads to its value.
func TestResolveAll(t *testing.T) {
	for name, data := range inputs(t) {
		root, problems := strictyaml.Load(name, data)
		if problems != nil {
			continue
		}
		root.Leaves(nil, func(path string, leaf, _ *strictyaml.Value) {
			if steps, err := resolve(root, path); err != nil || find(root, steps) != leaf || format(steps) != path {
				t.Errorf("%s: %s leads to %v, %v", name, path, steps, err)
			}
		})
	}
}

func TestCut(t *testing.T) {
	tests := []struct {
		text, path, value string
		ok                bool
	}{
		{`a.b=c=d`, `a.b`, `c=d`, true},
		{`a["x=y"].b=`, `a["x=y"].b`, ``, true},
		{`a["\"="]=1`, `a["\"="]`, `1`, true},
		{`a[x=y]=1`, `a[x=y]`, `1`, true},
		{`a\=b=1`, `a\=b`, `1`, true},
		{`a+=[1]`, `a+`, `[1]`, true},
		{`=1`, ``, `1`, false},
		{`a`, ``, ``, false},
		{`a["x=1`, ``, ``, false},
	}
	for _, test := range tests {
		if path, value, ok := Cut(test.text); path != test.path || value != test.value || ok != test.ok {
			t.Errorf("Cut(%q) = %q, %q, %t", test.text, path, value, ok)
		}
	}
}

// TestPaths: all paths that completion offers can be set.
func TestPaths(t *testing.T) {
	for name, data := range inputs(t) {
		if !isEnvironment(data) || strings.Contains(string(data), "\nextends:") || strings.Contains(string(data), "kind: Catalog") {
			continue
		}
		env, err := Open(name, data, nil)
		if err != nil {
			t.Fatal(err)
		}
		paths := env.Paths()
		if len(paths) < 80 {
			t.Errorf("%s: %d paths", name, len(paths))
		}
		for _, path := range paths {
			if _, err := prepare(env.merged(), Edit{Op: Set, Path: path, Value: Text("x")}); err != nil {
				t.Errorf("%s: %s: %v", name, path, err)
			}
		}
	}
}
