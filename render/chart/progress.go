package chart

import (
	"context"
	"path"
	"strconv"
	"strings"
	"sync"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// progress is what a render is at, and whether it may go on.
type progress struct {
	ctx context.Context
	mu  sync.Mutex
	at  string
}

func (p *progress) begin(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = what
}

func (p *progress) where() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// cluster is .Capabilities, with a method that templates of ours call: all
// that a chart finds in it is Helm's.
type cluster struct {
	*chartutil.Capabilities
	work *progress
}

// Begin says that the turn of a template has come. It fails when nobody waits
// for the render.
func (c *cluster) Begin(template string) (string, error) {
	c.work.begin(template)
	return "", c.work.ctx.Err()
}

// markSuffix makes a name that is the next one behind that of a template.
const markSuffix = "\x00"

// mark puts before every template one that says that it is its turn: Helm
// renders templates in the reverse order of their names, the deepest first
// (sortTemplates in https://github.com/helm/helm/blob/v3.22.0/pkg/engine/engine.go).
// That way an error can name the template that never ends, and a render that
// nobody waits for ends with its template. It gives the names of the marks.
func mark(c *helm.Chart) []string {
	var names []string
	var templates []*helm.File
	for _, t := range c.Templates {
		templates = append(templates, t)
		if t == nil || strings.HasPrefix(path.Base(t.Name), "_") {
			continue
		}
		full := path.Join(c.ChartFullPath(), t.Name)
		names = append(names, full+markSuffix)
		templates = append(templates, &helm.File{Name: t.Name + markSuffix, Data: []byte("{{.Capabilities.Begin " + strconv.Quote(full) + "}}")})
	}
	c.Templates = templates
	for _, dependency := range c.Dependencies() {
		names = append(names, mark(dependency)...)
	}
	return names
}
