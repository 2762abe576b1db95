package chart

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"sync/atomic"

	helm "helm.sh/helm/v3/pkg/chart"
)

// Session renders a chart several times for one release. What would come out
// the same again is not rendered again: neither the same input, where no
// template makes anything random, nor an upgrade, where no template asks for
// it. It is for one goroutine.
type Session struct {
	chart    Chart
	runs     map[string]run    // by input, install or upgrade
	outputs  map[string]Output // by input
	known    map[string]postRendered
	kept     int // bytes
	executed int // how often templates were
}

// maxKept is how many bytes of renders a session keeps.
const maxKept = 32 << 20

// Session begins renders for one release. What it gives is shared: it must not
// be changed.
func (c Chart) Session() *Session {
	return &Session{chart: c, runs: map[string]run{}, outputs: map[string]Output{}, known: map[string]postRendered{}}
}

// Render renders the chart as [Chart.Render] does.
func (s *Session) Render(ctx context.Context, in Input) (Output, error) {
	return s.chart.bounded(ctx, func(work *progress) (Output, error) {
		key, err := keyOf(in)
		if err != nil {
			return Output{}, err
		}
		made, err := s.run(in, key, work)
		if err != nil {
			return Output{}, err
		}
		if out, done := s.outputs[key]; done && made.certain {
			return out, nil
		}
		work.begin("its objects")
		out, err := made.collect(in, s.known)
		if err == nil && s.kept < maxKept {
			s.outputs[key] = out
		}
		return out, err
	})
}

// run executes the templates, or takes what they made before.
func (s *Session) run(in Input, key string, work *progress) (run, error) {
	facts := s.chart.facts
	before, again := s.runs[key]
	confirming, asInstall := &facts.repeats, false
	if !again && in.IsUpgrade && !facts.learn(s.chart.read).action {
		install := in
		install.IsUpgrade = false
		other, err := keyOf(install)
		if err != nil {
			return run{}, err
		}
		before, asInstall = s.runs[other]
		confirming = &facts.upgrades
	}
	if before.certain && (again || asInstall) && confirming.Load() == confirmed {
		return before, nil
	}
	s.executed++
	made, err := s.chart.execute(in, work)
	if err != nil {
		return run{}, err
	}
	made.certain = facts.repeats.Load() != refuted && facts.learn(s.chart.read).certain(key, made.files)
	if before.certain && (again || asInstall) {
		confirm(confirming, before, made)
	}
	for name, content := range made.files {
		s.kept += len(name) + len(content)
	}
	if s.kept < maxKept {
		s.runs[key] = made
	}
	return made, nil
}

// confirm notes whether a run made what the templates say that it must.
func confirm(fact *atomic.Int32, before, made run) {
	if maps.Equal(before.files, made.files) {
		fact.CompareAndSwap(unconfirmed, confirmed)
	} else {
		fact.Store(refuted)
	}
}

// keyOf tells inputs apart.
func keyOf(in Input) (string, error) {
	var key bytes.Buffer
	encoder := json.NewEncoder(&key)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(in)
	return key.String(), err
}

// run is what the templates of a chart made.
type run struct {
	chart   *helm.Chart // as it was rendered
	files   map[string]string
	unread  []string
	lookups []Lookup
	certain bool // the same comes out again
}

// collect makes objects of what the templates made.
func (r run) collect(in Input, known map[string]postRendered) (Output, error) {
	out, err := collect(r.chart, r.files, in, known)
	out.Unread, out.Lookups = r.unread, r.lookups
	return out, err
}
