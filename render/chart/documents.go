package chart

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// head is what decides where a document goes: what Helm's SimpleHead reads of
// it, and the namespace.
type head struct {
	Version  string    `json:"apiVersion"`
	Kind     string    `json:"kind,omitempty"`
	Metadata *metadata `json:"metadata,omitempty"`
}

type metadata struct {
	Name        string            `json:"name"`
	Namespace   any               `json:"namespace"`
	Annotations map[string]string `json:"annotations"`
}

// document is one YAML document that a template made.
type document struct {
	source, text string
	head         head
}

// split is the documents of a file: those between the matches of
// (?:^|\s*\n)---\s*
// (SplitManifests in https://github.com/helm/helm/blob/v3.22.0/pkg/releaseutil/manifest.go).
func split(source, content string) []document {
	const space = "\t\n\f\r "
	var documents []document
	content = strings.TrimSpace(content)
	if after, ok := strings.CutPrefix(content, "---"); ok {
		content = strings.TrimLeft(after, space)
	}
	for more := true; more; {
		var text string
		text, content, more = strings.Cut(content, "\n---")
		content = strings.TrimLeft(content, space)
		if text != "" && (!more || strings.TrimRight(text, space) != "") {
			documents = append(documents, document{source: source, text: strings.TrimSpace(text)})
		}
	}
	return documents
}

// documents is what files of templates have in them, in the order of their
// names, each with its head. The error is that of the first which is no YAML.
func documents(files map[string]string) ([]document, error) {
	var all []document
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(path.Base(name), "_") && strings.TrimSpace(files[name]) != "" {
			all = append(all, split(name, files[name])...)
		}
	}
	failures := make([]error, len(all))
	inParallel(len(all), func(i int) { all[i].head, failures[i] = readHead(all[i].text) })
	for i, failure := range failures {
		if failure != nil {
			return nil, fmt.Errorf("YAML parse error on %s: %w", all[i].source, failure)
		}
	}
	return all, nil
}

// inParallel calls do for 0 to n-1, several at a time.
func inParallel(n int, do func(i int)) {
	var workers sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	workers.Wait()
}

// readHead reads the head of a document: what is plainly written without
// Helm's YAML reader, which takes half of the time that Helm needs.
func readHead(text string) (h head, err error) {
	if h, ok := scanHead(text); ok {
		return h, nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	err = yaml.Unmarshal([]byte(text), &h)
	return h, err
}

// rank is the place of every kind in the order in which Helm installs.
var rank = sync.OnceValue(func() map[string]int {
	ranks := map[string]int{}
	for i, kind := range releaseutil.InstallOrder {
		ranks[kind] = i
	}
	return ranks
})

// byKind sorts as Helm installs, kinds that it does not know by name behind.
func byKind(objects []Object) {
	ranks := rank()
	slices.SortStableFunc(objects, func(a, b Object) int {
		first, known := ranks[a.Kind]
		second, alsoKnown := ranks[b.Kind]
		switch {
		case known && alsoKnown:
			return cmp.Compare(first, second)
		case known:
			return -1
		case alsoKnown:
			return 1
		}
		return strings.Compare(a.Kind, b.Kind)
	})
}
