package images

import (
	"strconv"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// path is a place in an object. It is written out only where something was
// found: most places hold nothing.
type path struct {
	above *path
	step  string // a key
	at    int    // in a list, or -1
	text  bool   // below is what a text holds
	line  int    // of a text, from 1, or 0
	depth int
}

func (p *path) below(next path) *path {
	next.above = p
	if p != nil {
		next.depth = p.depth + 1
	}
	return &next
}

func (p *path) key(key string) *path { return p.below(path{step: key, at: -1}) }
func (p *path) index(i int) *path    { return p.below(path{at: i}) }
func (p *path) document() *path      { return p.below(path{at: -1, text: true}) }
func (p *path) nth(line int) *path   { return p.below(path{at: -1, line: line}) }

// texts is how many texts in texts lead here.
func (p *path) texts() int {
	n := 0
	for ; p != nil; p = p.above {
		if p.text {
			n++
		}
	}
	return n
}

// longestStep is how much of a key a path repeats: what Kubernetes takes.
const longestStep = 253

func (p *path) String() string {
	var steps []*path
	for ; p != nil; p = p.above {
		steps = append(steps, p)
	}
	var before, own string
	for i := len(steps) - 1; i >= 0; i-- {
		step := steps[i]
		switch {
		case step.text:
			before, own = before+own+": ", ""
		case step.line > 0:
			own = "line " + strconv.Itoa(step.line)
		case step.at >= 0:
			own = strictyaml.Index(own, step.at)
		default:
			own = strictyaml.Join(own, cut(step.step))
		}
	}
	return strings.TrimSuffix(before+own, ": ")
}

func cut(key string) string {
	if len(key) > longestStep {
		return key[:longestStep]
	}
	return key
}
