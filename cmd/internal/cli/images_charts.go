package cli

import (
	"context"
	"fmt"
	"sync"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/render"
)

// originals takes charts that a mirror lacks from where they are mirrored
// from: who asks what to copy has not copied it yet.
type originals struct {
	charts.Source
	of map[render.Chart]string // the repository that a chart comes from

	mu   sync.Mutex
	from map[render.Chart]string // the same, for those that came from there
}

func newOriginals(source charts.Source, releases []planned) *originals {
	o := &originals{Source: source, of: map[render.Chart]string{}, from: map[render.Chart]string{}}
	for _, p := range releases {
		if name, known := p.plan.Original(p.Chart.Repository); known && name != p.Chart.Repository {
			o.of[p.Chart] = name
		}
	}
	return o
}

// Chart returns the chart from the mirror, or else from where it comes from.
func (o *originals) Chart(ctx context.Context, wanted render.Chart) (charts.Chart, error) {
	got, err := o.Source.Chart(ctx, wanted)
	name, mirrored := o.of[wanted]
	if err == nil || !mirrored || ctx.Err() != nil {
		return got, err
	}
	first := wanted
	wanted.Repository = name
	got, otherErr := o.Source.Chart(ctx, wanted)
	if otherErr != nil && otherErr.Error() == err.Error() {
		return charts.Chart{}, err
	}
	if otherErr != nil {
		return charts.Chart{}, fmt.Errorf("%w; and its source does not give it: %w", err, otherErr)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from[first] = name
	return got, nil
}

// used names the place that a chart came from where the mirror lacks it.
func (o *originals) used(wanted render.Chart) (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	name, ok := o.from[wanted]
	return name, ok
}
