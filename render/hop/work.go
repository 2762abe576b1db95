package hop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/chart"
)

// side is a version of a chart at work.
type side struct {
	chart    chart.Chart
	make     Make
	defaults map[string]any // at the paths at which users set them
	schema   map[string]any
	values   map[string]any // of the environment, without secrets
	random   map[place]bool
	known    map[string]result // by values
}

type result struct {
	made *made
	err  error
}

// work is an analysis that is going on.
type work struct {
	ctx     context.Context
	in      Input
	old     *side
	new     *side
	secret  secrets
	said    sayings
	numbers map[string]int // of probes, by path

	renders   int
	exhausted bool

	leaves []leaf // of the old values
	fates  map[string]*fate
	taken  map[string]bool // values of the new chart that an old one has become

	now     map[string]any    // values for the new chart, as far as they are known
	filled  map[string]string // what must be set and has no value: path to why
	failed  error             // why the new chart does not render with them
	unset   []*flip           // switches that the environment does not set, and that are open
	flips   []*flip           // those whose place is known
	twins   map[object]object // objects that have another name in the new chart, when that counts
	byTwins bool              // what is found out now rests on them
	pairs   map[object]object // the same, when it is known
	// explained is the objects whose coming or going a finding explains.
	explained map[object]bool
}

// fate collects all facts about a leaf of the old values.
type fate struct {
	leaf
	secret  bool
	effect  effect // in the old chart
	lands   bool   // it is a text that is to be read at the places of the effect
	probed  bool
	other   any // what it was probed with
	state   Fate
	sure    Certainty
	to      path
	form    form
	why     string
	at      []place // where it lands in the new chart
	active  bool    // it did nothing before, and does something now
	closest []path  // what it may have become
}

// used reports whether the value does anything in the old chart.
func (f *fate) used() bool { return !f.effect.empty() }

// errMost is the error of a render that there is no budget for.
var errMost = errors.New("not tried: too much was rendered")

// render renders values, once each.
func (w *work) render(s *side, values map[string]any) (*made, error) {
	key, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	if known, ok := s.known[string(key)]; ok {
		return known.made, known.err
	}
	if w.ctx.Err() != nil {
		return nil, context.Cause(w.ctx)
	}
	if w.renders >= w.in.Most {
		w.exhausted = true
		return nil, errMost
	}
	w.renders++
	var r result
	objects, err := s.make(w.ctx, values)
	if err == nil {
		r.made = newMade(objects)
	}
	r.err = err
	s.known[string(key)] = r
	return r.made, r.err
}

// number gives that of a path's probe.
func (w *work) number(at path) int {
	name := at.String()
	if _, known := w.numbers[name]; !known {
		w.numbers[name] = len(w.numbers) + 1
	}
	return w.numbers[name]
}

// newSide reads a version of a chart.
func newSide(in Side, secret secrets) (*side, error) {
	title := "chart " + in.Chart.Name() + " " + in.Chart.Version()
	defaults, err := in.Chart.Defaults()
	if err != nil {
		return nil, err
	}
	if defaults, err = plain(defaults); err != nil {
		return nil, fmt.Errorf("%s: default values: %w", title, err)
	}
	values, err := plain(in.Values)
	if err != nil {
		return nil, fmt.Errorf("%s: values: %w", title, err)
	}
	s := &side{
		chart: in.Chart, make: in.Make, defaults: settable(defaults), values: secret.hidden(values),
		random: map[place]bool{}, known: map[string]result{},
	}
	_ = json.Unmarshal(in.Chart.Schema(), &s.schema) // what is no schema says nothing
	return s, nil
}

// learnRandom finds the places that are others each time, if templates may make any.
func (w *work) learnRandom(s *side, values map[string]any) {
	first, err := w.render(s, values)
	if err != nil || !mayBeRandom(s.chart) || w.renders >= w.in.Most {
		return
	}
	w.renders++
	objects, err := s.make(w.ctx, values)
	if err != nil {
		return
	}
	for at := range differ(first, newMade(objects), nil).places {
		s.random[at] = true
	}
}

// mayBeRandom reports whether a template names a function whose result is another one
// each time.
func mayBeRandom(c chart.Chart) bool {
	texts := templates(c.Parts())
	for _, name := range []string{"rand", "uuidv4", "gen", "now", "htpasswd", "bcrypt", "shuffle", "encryptAES", "derivePassword"} {
		if strings.Contains(texts, name) {
			return true
		}
	}
	return false
}

// list writes a list as a sentence does.
func list(all []string) string { return strings.Join(all, ", ") }

// few limits a list to MostObjects, and says how many more there are.
func few(all []string) []string {
	if len(all) <= MostObjects {
		return all
	}
	return append(all[:MostObjects:MostObjects], fmt.Sprintf("and %d more", len(all)-MostObjects))
}
