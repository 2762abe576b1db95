//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/cli"
)

// hostileEnvironment has one release that is not the vendor's.
const hostileEnvironment = `apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: small}
spec:
  instance: {name: a, frontendUrl: https://a.b, backendUrl: https://b.b, ownerEmail: o@b.c}
  versions: {prefectCloud: 1.2.900, server: "1", ui: "1"}
  mesh: none
  auth: {okta: {clientID: a, clientSecret: {secret: s, key: k}, authServerURL: https://o.b}}
  redis: {cache: {host: a}, work: {host: a}, streams: {host: a}}
  database: {primary: db, serviceUser: {password: {secret: s, key: service}}, superUser: {password: {secret: s, key: k}}}
  cluster: {kubeVersion: "1.33"}
  releases: [{name: bad, chart: oci://r.io/charts/bad, version: 1.0.0, namespace: bad}]
`

// packed is an archive of tar entries, and behind them zeros to any size.
func packed(t *testing.T, entries []tar.Header, content func(i int) []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for i, header := range entries {
		data := content(i)
		if header.Typeflag == tar.TypeReg || header.Typeflag == 0 {
			header.Size = int64(len(data))
		}
		header.Mode = 0o644
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if header.Size > 0 {
			if _, err := archive.Write(data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const hostileChart = "apiVersion: v2\nname: bad\nversion: 1.0.0\n"

// withTemplate is a chart archive with one template and values.
func withTemplate(t *testing.T, template string) []byte {
	texts := []string{hostileChart, template, "text: x\nself: '{{ tpl .Values.self . }}'\n"}
	return packed(t, []tar.Header{{Name: "bad/Chart.yaml"}, {Name: "bad/templates/evil.yaml"}, {Name: "bad/values.yaml"}}, func(i int) []byte { return []byte(texts[i]) })
}

// withEntry is a chart archive with one more entry.
func withEntry(t *testing.T, more tar.Header) []byte {
	return packed(t, []tar.Header{{Name: "bad/Chart.yaml"}, more}, func(int) []byte { return []byte(hostileChart) })
}

// many is entries with names in order behind a Chart.yaml.
func many(n int, name string) []tar.Header {
	entries := []tar.Header{{Name: "bad/Chart.yaml"}}
	for i := range n {
		entries = append(entries, tar.Header{Name: fmt.Sprintf(name, i)})
	}
	return entries
}

// filled gives every entry but the first the same content.
func filled(content []byte) func(int) []byte {
	return func(i int) []byte {
		if i == 0 {
			return []byte(hostileChart)
		}
		return content
	}
}

// TestHostileCharts renders charts made to do harm: each ends in time, in
// bounded memory, with an error that names it, and without a result.
func TestHostileCharts(t *testing.T) {
	bomb := packed(t, many(30, "sub/templates/%d.txt"), filled(make([]byte, 5<<20)))
	for _, tt := range []struct {
		name, stderr string // what the error says behind the release's name
		archive      []byte
	}{
		{"parent folder", `unpack the chart: the chart's file "../../evil" lies outside`, withEntry(t, tar.Header{Name: "bad/../../evil"})},
		{"absolute path", `unpack the chart: the chart's file "/etc/passwd" has an absolute`, withEntry(t, tar.Header{Name: "bad//etc/passwd"})},
		{"windows path", `has an absolute path`, withEntry(t, tar.Header{Name: `bad\c:\evil`})},
		{"symbolic link", `unpack the chart: the archive has a link, "bad/values.yaml"`, withEntry(t, tar.Header{Name: "bad/values.yaml", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})},
		{"hard link", `the archive has a link`, withEntry(t, tar.Header{Name: "bad/values.yaml", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"})},
		{"device", `is no plain file`, withEntry(t, tar.Header{Name: "bad/values.yaml", Typeflag: tar.TypeChar})},
		{"control character", `has a control character in its name`, withEntry(t, tar.Header{Name: "bad/templates/\x1b[2J.yaml"})},
		{"10,000 files", `the chart has more than 5000 files`, packed(t, many(10000, "bad/templates/%d.yaml"), filled(nil))},
		{"20,000 folders", `more than 10000 entries`, packed(t, func() (entries []tar.Header) {
			for i := range 20000 {
				entries = append(entries, tar.Header{Name: fmt.Sprintf("bad/%d/", i), Typeflag: tar.TypeDir})
			}
			return entries
		}(), filled(nil))},
		{"a large file", `at most 5242880 are read`, packed(t, many(1, "bad/%d"), filled(make([]byte, 6<<20)))},
		{"1 GB decompressed", `the chart's files have more than 104857600 bytes`, packed(t, many(205, "bad/%d"), filled(make([]byte, 5<<20)))},
		{"archives in archives", `charts/.\.tgz: the chart's files have more than 104857600 bytes|the chart's files have more`, packed(t, many(7, "bad/charts/s%d.tgz"), filled(bomb))},
		{"no archive", `unpack the chart: it is no gzipped archive|unexpected EOF`, []byte("hello")},
		{"half an archive", `unexpected EOF`, bomb[:len(bomb)/2]},
		{"a loop", `chart bad 1.0.0: bad/templates/evil.yaml: not done after`, withTemplate(t, `{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}{{ end }}{{ end }}`)},
		{"a loop with garbage", `chart bad 1.0.0: bad/templates/evil.yaml: (not done after|takes more than 300 MB)`, withTemplate(t, `{{ range $i, $x := untilStep 0 100000 1 }}{{ range untilStep 0 100000 1 }}{{ end }}{{ end }}`)},
		{"a long list", `bad/templates/evil.yaml: takes more than 300 MB of memory`, withTemplate(t, `{{ range until 2000000000 }}{{ end }}`)},
		{"a long text", `bad/templates/evil.yaml: takes more than 300 MB of memory`, withTemplate(t, `{{ repeat 2000000000 "x" }}`)},
		{"growing text", `bad/templates/evil.yaml: takes more than 300 MB of memory`, withTemplate(t, `{{ $x := "xxxxxxxx" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}{{ $x }}`)},
		{"100 MB of output", `the templates make more than 67108864 bytes|takes more than 300 MB`, withTemplate(t, `{{ $x := repeat 1000000 "x" }}{{ range until 100 }}a: {{ $x }}{{ "\n" }}{{ end }}`)},
		{"include recursion", `nested reference name: a`, withTemplate(t, `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`)},
		{"template recursion", `exceeded maximum template depth|takes more than 300 MB`, withTemplate(t, `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`)},
		{"tpl recursion", `takes more than 300 MB|not done after`, withTemplate(t, `{{ tpl .Values.self . }}`)},
		{"a loop in values", `takes more than 300 MB|encountered a cycle|evil.yaml`, withTemplate(t, `{{ $_ := set .Values "me" .Values }}{{ .Values }}`)},
		{"deep YAML", `YAML parse error on bad/templates/evil.yaml`, withTemplate(t, `a: {{ repeat 100000 "[" }}`)},
		{"aliases", `YAML parse error on bad/templates/evil.yaml`, withTemplate(t, "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // some wait for a limit of time
			dir := t.TempDir()
			put(t, dir, "environment.yaml", hostileEnvironment)
			put(t, dir, "charts/bad-1.0.0.tgz", string(tt.archive))
			before := picture(t, dir)
			got := execute(t, dir, "preview", "bad", "--chart-dir", "charts", "--as", "helm")
			t.Logf("%v, %d MB: %s", got.took.Round(time.Millisecond), got.memory>>20, strings.TrimSpace(got.stderr))
			if got.code != cli.ExitFailed || got.stdout != "" || !regexp.MustCompile(`(?m)^pm-gitops: bad: .*(`+tt.stderr+`)`).MatchString(got.stderr) {
				t.Errorf("exit code %d, %d bytes of output, stderr\n%s\nwant 1, none, %s", got.code, len(got.stdout), got.stderr, tt.stderr)
			}
			if got.memory > maxMemory || got.took > 2*charts.MaxTime {
				t.Errorf("took %v and %d MB", got.took, got.memory>>20)
			}
			if !maps.Equal(before, picture(t, dir)) {
				t.Error("something was written")
			}
		})
	}
}

// TestHostileSchema: a schema that asks for a billion answers is given up, and
// named.
func TestHostileSchema(t *testing.T) {
	t.Parallel()
	schema := `{"$ref": "#/definitions/d0", "definitions": {`
	for i := range 40 {
		schema += fmt.Sprintf(`"d%d": {"allOf": [{"$ref": "#/definitions/d%d"}, {"$ref": "#/definitions/d%d"}]}, `, i, i+1, i+1)
	}
	schema += `"d40": {}}}`
	dir := t.TempDir()
	put(t, dir, "environment.yaml", hostileEnvironment)
	put(t, dir, "charts/bad/Chart.yaml", hostileChart)
	put(t, dir, "charts/bad/values.schema.json", schema)
	put(t, dir, "charts/prefect-cloud/Chart.yaml", "apiVersion: v2\nname: prefect-cloud\nversion: 1.2.900\n")
	got := execute(t, dir, "validate", "--chart-dir", "charts")
	if got.code != cli.ExitFailed || !strings.Contains(got.stderr, "bad: look at the schema and the templates of chart bad 1.0.0: not done after 20s") {
		t.Errorf("exit code %d after %v:\n%s", got.code, got.took, got.stderr)
	}
	if got.took > 2*charts.MaxTime {
		t.Errorf("took %v", got.took)
	}
}
