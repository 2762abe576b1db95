package diff

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
)

// unit is one document, or one object of a list.
type unit struct {
	Document
	text   string
	place  int // in its source
	object Object
	value  any // as JSON knows it, secrets as *hidden; a string for what is no YAML
}

// split takes sources apart into documents. What has nothing but comments is
// none.
func split(documents []Document) []unit {
	var units []unit
	places := map[string]int{}
	for _, d := range documents {
		for _, text := range texts(strings.ReplaceAll(string(d.YAML), "\r\n", "\n")) {
			units = append(units, unit{Document: d, text: text, place: places[d.file()]})
			places[d.file()]++
		}
	}
	return units
}

// file tells sources apart.
func (d Document) file() string { return d.Within + "\x00" + d.Source }

// texts is the documents of a stream. A line that begins with three dashes
// begins a document, whatever else it has, as for Helm.
func texts(stream string) []string {
	var all []string
	var one strings.Builder
	holds := false
	end := func() {
		if holds {
			all = append(all, one.String())
		}
		one.Reset()
		holds = false
	}
	for line := range strings.Lines(stream) {
		rest, marks := strings.CutPrefix(line, "---")
		if marks && (rest == "" || strings.ContainsAny(rest[:1], " \t\n")) {
			end()
			line = strings.TrimLeft(rest, " \t")
		}
		trimmed := strings.TrimSpace(line)
		holds = holds || trimmed != "" && !strings.HasPrefix(trimmed, "#")
		one.WriteString(line)
	}
	end()
	return all
}

// withoutEqual leaves out what is the same text on both sides, and counts it.
func withoutEqual(before, after []unit) (left, right []unit, same int) {
	type known struct{ within, namespace, text string }
	of := func(u unit) known { return known{u.Within, u.Namespace, u.text} }
	there := map[known]int{}
	for _, u := range before {
		there[of(u)]++
	}
	equal := map[known]int{}
	for _, u := range after {
		if k := of(u); there[k] > 0 {
			there[k]--
			equal[k]++
			same++
		} else {
			right = append(right, u)
		}
	}
	for _, u := range before {
		if k := of(u); equal[k] > 0 {
			equal[k]--
		} else {
			left = append(left, u)
		}
	}
	return left, right, same
}

// parse reads documents, and notes the files of those that are no YAML.
func parse(units []unit, broken map[string]bool) {
	failures := make([]error, len(units))
	several(len(units), func(i int) { units[i].value, failures[i] = read(units[i].text) })
	for i, failure := range failures {
		if failure != nil {
			broken[units[i].file()] = true
		}
	}
}

// several calls work with 0 to n-1, as many at a time as there are processors.
func several(n int, work func(i int)) {
	var workers sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				work(int(i))
			}
		})
	}
	workers.Wait()
}

// read is a document as JSON knows it, whole numbers as they are written. The
// reader of YAML is a stranger's program to a stranger's text.
func read(text string) (value any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	exact := func(d *json.Decoder) *json.Decoder {
		d.UseNumber()
		return d
	}
	err = yaml.Unmarshal([]byte(text), &value, exact)
	if err == nil && deeper(value, deepest) {
		return nil, errors.New("too many levels")
	}
	return value, err
}

// deepest is how many levels a document has at most; one that has more is
// compared as text. Nobody's manifest has half as many, and what writes YAML
// and JSON takes time by the square of them.
const deepest = 100

// deeper reports whether a value has more levels.
func deeper(value any, levels int) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, item := range v {
			if levels == 0 || deeper(item, levels-1) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if levels == 0 || deeper(item, levels-1) {
				return true
			}
		}
	}
	return false
}

// objects says what documents are: lists are taken apart, secrets hidden, and
// a file with anything in it that is no YAML is one text.
func objects(units []unit, documents []Document, broken map[string]bool) []unit {
	var all []unit
	for _, u := range units {
		if !broken[u.file()] && u.value != nil {
			all = append(all, u.items(0)...)
		}
	}
	for _, d := range documents {
		if text := string(d.YAML); broken[d.file()] {
			if looksSecret(text) {
				all = append(all, unit{Document: d, value: &hidden{value: text}})
				continue
			}
			all = append(all, unit{Document: d, value: text})
		}
	}
	return all
}

// looksSecret reports whether a text that cannot be read may hold a secret.
func looksSecret(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(lower, "secret") || strings.Contains(lower, "password") || plaintext.Text(text) != nil
}

// deepestList is how deep lists of objects are taken apart. Nobody has a list
// in a list.
const deepestList = 4

// items is the objects of a list, or the document itself.
func (u unit) items(depth int) []unit {
	tree, _ := u.value.(map[string]any)
	list, isList := tree["items"].([]any)
	kind, _ := tree["kind"].(string)
	if !isList || !strings.HasSuffix(kind, "List") || depth >= deepestList {
		u.object = identify(tree)
		u.value = hide(u.value)
		return []unit{u}
	}
	var all []unit
	for i, item := range list {
		one := u
		one.value, one.place = item, u.place<<16+i+1
		all = append(all, one.items(depth+1)...)
	}
	return all
}

// identify is which object a document is.
func identify(tree map[string]any) Object {
	text := func(in map[string]any, key string) string {
		said, _ := in[key].(string)
		return said
	}
	metadata, _ := tree["metadata"].(map[string]any)
	o := Object{text(tree, "apiVersion"), text(tree, "kind"), text(metadata, "namespace"), text(metadata, "name")}
	if o.APIVersion == "" || o.Kind == "" {
		return Object{}
	}
	return o
}

// key is the same for what belongs together. What has no name goes by its
// place.
func (u unit) key() string {
	namespace := u.object.Namespace
	if namespace == "" {
		namespace = u.Namespace
	}
	if u.object.Name == "" {
		return strings.Join([]string{u.Within, u.Source, u.object.Group(), u.object.Kind, strconv.Itoa(u.place)}, "\x00")
	}
	return strings.Join([]string{u.Within, u.object.Group(), u.object.Kind, namespace, u.object.Name}, "\x00")
}
