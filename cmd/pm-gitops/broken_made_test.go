//go:build linux

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unicode/utf16"
)

// plain is the environment that made and odd inputs begin with.
const plain = `apiVersion: pm-gitops/v1
kind: Environment
metadata:
  name: dev
spec:
  instance:
    name: customer-managed
    frontendUrl: https://ui.company.com
    backendUrl: https://api.company.com
    ownerEmail: owner@company.com
  versions:
    prefectIstiod: 1.2.900
    prefectCloud: 1.2.900
    server: "2025.10.1"
    ui: "2025.1.2"
  auth:
    okta:
      clientID: prefect
      clientSecret: {secret: prefect-auth, key: client-secret}
      authServerURL: https://company.okta.com/oauth2/default
  releases:
  - {name: worker, chart: oci://registry.company.com/charts/worker, version: 1.0.0, namespace: workers, protect: true}
  values:
    prefect-cloud:
      text: a text
      on: true
      count: 3
`

// made is the broken inputs that are too large for a file of their own, or no
// text, or no plain files: by the name of the case. They are made once, and
// not while the program starts.
var made = sync.OnceValue(func() map[string]func(t *testing.T, dir string) {
	all := madeFiles()
	maps.Copy(all, madeTexts())
	return all
})

func madeTexts() map[string]func(t *testing.T, dir string) {
	return map[string]func(t *testing.T, dir string){
		"size-10mb":             environment(plain + "# " + strings.Repeat("x", 10<<20)),
		"depth-flow":            values("a: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)),
		"depth-flow-open":       values("a: " + strings.Repeat("[", 500_000)),
		"depth-flow-mapping":    values("a: " + strings.Repeat("{a: ", 20_000) + strings.Repeat("}", 20_000)),
		"depth-dashes":          environment(strings.Repeat("- ", 20_000) + "a\n"),
		"depth-question-marks":  environment(strings.Repeat("? ", 20_000) + "a\n"),
		"depth-block":           environment(blocksOf(1_000)),
		"depth-allowed-by-yaml": values("a: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)),
		"count-keys":            values(numbered(60_000, "k%d: 1\n      ")),
		"count-same-key":        values(strings.Repeat("k: 1\n      ", 60_000)),
		"count-no-strings":      values("a: {" + numbered(60_000, "%d: 1, ") + "}"),
		"count-unknown-fields":  environment(plain + numbered(9_000, "  k%d: 1\n")),
		"count-releases":        environment(plain[:strings.Index(plain, "  values:")] + numbered(1_200, "  - {name: r%d, chart: oci://r.io/c, version: 1.0.0, namespace: n, needs: [nobody]}\n")),
		"count-nulls":           values("a: [" + strings.Repeat("~, ", 9_000) + "]"),
		"count-documents":       environment(strings.Repeat("---\n", 200_000)),
		"count-anchors":         values("a: [" + numbered(60_000, "&a%d 1, ") + "]"),
		"count-comments":        values(numbered(30_000, "k%d: 1 # one\n      # two\n      ")),
		"long-key":              values("? " + strings.Repeat("k", 400_000) + "\n      : {" + numbered(45_000, "%d: 1, ") + "}"),
		"long-line-of-colons":   environment(strings.Repeat(":", 900_000)),
		"long-line-of-aliases":  environment(strings.Repeat("*a ", 300_000)),
		"long-line-of-commas":   environment("[" + strings.Repeat(",", 900_000)),
		"long-open-quote":       environment("\"" + strings.Repeat("a\n", 400_000)),
		"long-name":             environment(strings.Replace(plain, "name: dev", "name: "+strings.Repeat("n", 300), 1)),
		"long-unknown-field":    environment(plain + "  " + strings.Repeat("k", 1_000) + ": 1\n"),
		"alias-laughs":          values(laughs("[%s]")),
		"alias-merges":          values(laughs("{<<: [%s], k: 1}")),
		"alias-merge-large":     values("a: &a {" + numbered(9_000, "k%d: 1, ") + "}\n      b: {<<: [*a, *a, *a, *a, *a, *a, *a, *a]}"),
		"bytes-nul":             environment(strings.Replace(plain, "name: dev", "name: d\x00v", 1)),
		"bytes-not-utf8":        environment(strings.Replace(plain, "name: dev", "name: d\xffv", 1)),
		"bytes-latin1":          environment(strings.Replace(plain, "a text", "caf\xe9", 1)),
		"bytes-utf16":           environment(utf16Of(plain)),
		"bytes-control":         environment(strings.Replace(plain, "a text", "a\x07text", 1)),
		"bytes-terminal":        environment(strings.Replace(plain, "a text", "\x1b]0;"+canary+"\x07", 1)),
		"bytes-gzip":            environment("\x1f\x8b\x08\x00\x00\x00\x00\x00"),
		"bytes-empty":           environment(""),
	}
}

func madeFiles() map[string]func(t *testing.T, dir string) {
	folder := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, os.Mkdir(filepath.Join(dir, filepath.Join(names...)), 0o777)) }
	}
	link := func(to, name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, os.Symlink(to, filepath.Join(dir, name))) }
	}
	pipe := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { must(t, syscall.Mkfifo(filepath.Join(dir, name), 0o666)) }
	}
	return map[string]func(t *testing.T, dir string){
		"size-endless": link("/dev/zero", "environment.yaml"),
		"size-10mb-catalog": func(t *testing.T, dir string) {
			put(t, dir, "environment.yaml", plain)
			put(t, dir, "catalog.yaml", strings.Repeat("#\n", 5<<20))
		},
		"file-is-a-folder":   folder("environment.yaml"),
		"file-is-a-loop":     link("environment.yaml", "environment.yaml"),
		"file-name-terminal": func(t *testing.T, dir string) { put(t, dir, "\x1b[31mred\u202e.yaml", "a: 1\n") },
		"extends-outside":    folder("envs", ".git"),
		"extends-link-outside": func(t *testing.T, dir string) {
			folder("envs", ".git")(t, dir)
			link("../common.yaml", "envs/common.yaml")(t, dir)
		},
		"extends-pipe":      pipe("common.yaml"),
		"extends-link-loop": link(".", "again"),
		"extends-10mb":      func(t *testing.T, dir string) { put(t, dir, "common.yaml", strings.Repeat("#\n", 5<<20)) },
		"catalog-pipe":      pipe("catalog.yaml"),
		"catalog-outside":   folder("envs", ".git"),
	}
}

// environment makes an environment file with a content.
func environment(content string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) { put(t, dir, "environment.yaml", content) }
}

// values makes an environment file with a chart value.
func values(value string) func(t *testing.T, dir string) {
	return environment(plain + "      " + value + "\n")
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// blocksOf is mappings inside each other, as deep as a file of 1 MB allows.
func blocksOf(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// laughs is ten anchors, each of nine aliases of the one before.
func laughs(format string) string {
	text := "l0: &l0 {k: 1}"
	for i := range 9 {
		aliases := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i), 9), ", ")
		text += fmt.Sprintf("\n      l%d: &l%d "+format, i+1, i+1, aliases)
	}
	return text
}

func utf16Of(text string) string {
	b := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}
