package importer

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

type value = strictyaml.Value

// asHelm is a document as Helm reads it, which is YAML 1.1 on the way to JSON:
// an unquoted yes is true there, and 0123 is 83. Where something was written
// is as the strict reader says.
func (r *reader) asHelm(document strictyaml.Document) *value {
	var read any
	if err := yaml.Unmarshal(document.Text, &read, useNumber); err != nil {
		// What the library says may repeat a value.
		r.problem(document.Root.Position, "", "Helm cannot read this document")
		return &value{Position: document.Root.Position, Kind: strictyaml.Mapping}
	}
	return r.rebuild(read, document.Root, document.Root.Position)
}

func useNumber(d *json.Decoder) *json.Decoder {
	d.UseNumber()
	return d
}

// rebuild is what a JSON value is, with the places of what was written; at is
// where the value around it was.
func (r *reader) rebuild(read any, written *value, at render.Position) *value {
	if written != nil {
		at = written.Position
	}
	v := &value{Position: at}
	switch read := read.(type) {
	case map[string]any:
		v.Kind = strictyaml.Mapping
		v.Entries = r.entries(read, written, at)
	case []any:
		v.Kind = strictyaml.Sequence
		for i, item := range read {
			var of *value
			if written != nil && i < len(written.Items) {
				of = written.Items[i]
			}
			v.Items = append(v.Items, r.rebuild(item, of, at))
		}
	case string:
		v.Tag, v.Text = "!!str", read
	case bool:
		v.Tag, v.Text = "!!bool", strconv.FormatBool(read)
	case int64:
		v.Tag, v.Text = "!!int", strconv.FormatInt(read, 10)
	case float64:
		v.Tag, v.Text = number(json.Number(strconv.FormatFloat(read, 'g', -1, 64)))
	case json.Number:
		v.Tag, v.Text = number(read)
		if written != nil && written.Text != v.Text && !plain(written) {
			r.odd[v] = "number"
		}
	default:
		v.Tag = "!!null"
	}
	return v
}

// entries is the keys of a mapping in the order of the file. Helm makes texts
// of keys that are none, which were not written as they are read.
func (r *reader) entries(read map[string]any, written *value, at render.Position) []strictyaml.Entry {
	var entries []strictyaml.Entry
	seen := map[string]bool{}
	if written != nil {
		for _, entry := range written.Entries {
			if below, ok := read[entry.Key]; ok {
				seen[entry.Key] = true
				entries = append(entries, strictyaml.Entry{Key: entry.Key, Position: entry.Position, Value: r.rebuild(below, entry.Value, entry.Position)})
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(read)) {
		if !seen[key] {
			below := r.rebuild(read[key], nil, at)
			if written != nil && len(seen) < len(written.Entries) {
				r.odd[below] = "key"
			}
			entries = append(entries, strictyaml.Entry{Key: key, Position: at, Value: below})
		}
	}
	return entries
}

// number is a number in the form that an environment file takes. Integers out
// of range stay as they are, for the strict reader to refuse.
func number(n json.Number) (tag, text string) {
	if i, err := n.Int64(); err == nil {
		return "!!int", strconv.FormatInt(i, 10)
	}
	f, err := n.Float64()
	if err != nil || !strings.ContainsAny(n.String(), ".eE") {
		return "!!int", n.String()
	}
	return "!!float", strconv.FormatFloat(f, 'g', -1, 64)
}

// plain reports whether a value is read as it is written.
func plain(v *value) bool {
	_, problems := strictyaml.Plain(v, "")
	return problems == nil
}

// oddities says what Helm reads as something else than was written, such as a
// tag 2025.10 or a key y without quotes.
func (r *reader) oddities() render.Problems {
	var notes render.Problems
	var visit func(v *value, path string)
	visit = func(v *value, path string) {
		if what := r.odd[v]; what != "" {
			notes = append(notes, render.Problem{Position: v.Position, Path: path, Message: "Helm reads another " + what + " than is written here, and the environment has what Helm reads: was a text in quotes meant?"})
		}
		for _, entry := range v.Entries {
			visit(entry.Value, strictyaml.Join(path, entry.Key))
		}
		for i, item := range v.Items {
			visit(item, strictyaml.Index(path, i))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.releases)) {
		visit(r.releases[key].values, "")
	}
	return notes
}

// each calls visit with every scalar, empty mapping and empty list below v.
func each(v *value, path string, visit func(path string, v *value)) {
	if len(v.Entries) == 0 && len(v.Items) == 0 {
		visit(path, v)
	}
	for _, entry := range v.Entries {
		each(entry.Value, strictyaml.Join(path, entry.Key), visit)
	}
	for i, item := range v.Items {
		each(item, strictyaml.Index(path, i), visit)
	}
}

// headings are the first lines that `helm get values` prints.
const (
	userSupplied = "USER-SUPPLIED VALUES:"
	computed     = "COMPUTED VALUES:"
)

// unheaded is what stands below the heading of `helm get values`, on the same
// lines as before.
func (r *reader) unheaded(file File) []byte {
	data := bytes.TrimPrefix(file.Data, []byte("\ufeff"))
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	switch heading := string(bytes.TrimSpace(first)); heading {
	case userSupplied:
		return append([]byte("#\n"), rest...)
	case computed:
		r.problem(render.Position{File: file.Name, Line: 1, Column: 1}, "", "these are all values, the chart's defaults among them, and would be kept for ever: want the ones that you gave, from `helm get values` without --all")
		return nil
	}
	return data
}
