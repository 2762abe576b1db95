package charts

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// Work that takes too long or too much says which chart it is done with, also where only
// the end of it does not come.
func TestBoundsNameTheChart(t *testing.T) {
	ends := func(context.Context) (int, error) { return 1, nil }
	for name, c := range map[string]struct {
		cause error // of the end of the context, from the start
		what  string
		work  func(context.Context) (int, error) // nil never ends
		want  string
	}{
		"too long":              {nil, "chart a 1.0.0", nil, "chart a 1.0.0: not done after 20s: does it loop?"},
		"too much":              {errTooMuch, "chart a 1.0.0", nil, "chart a 1.0.0: takes more than 300 MB of memory: does it loop?"},
		"too much, but done":    {errTooMuch, "chart a 1.0.0", ends, "chart a 1.0.0: takes more than 300 MB of memory: does it loop?"},
		"the caller names it":   {errTooMuch, "", ends, "takes more than 300 MB of memory: does it loop?"},
		"the user ends it":      {context.Canceled, "chart a 1.0.0", nil, "context canceled"},
		"within bounds":         {nil, "chart a 1.0.0", ends, ""},
		"the chart's own fault": {nil, "chart a 1.0.0", func(context.Context) (int, error) { return 0, os.ErrInvalid }, "invalid argument"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if c.cause != nil {
					cancel(c.cause)
				}
				work := c.work
				if work == nil {
					stop := make(chan struct{})
					defer close(stop)
					work = func(context.Context) (int, error) { <-stop; return 0, nil }
				}
				_, err := InTime(ctx, c.what, MaxTime, work)
				if got := text(err); got != c.want {
					t.Errorf("InTime = %q, want %q", got, c.want)
				}
			})
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Reading a chart is within the bounds of rendering it, and names the chart.
func TestReadingAChartIsBounded(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "made")
	if err := os.Mkdir(own, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(own, "Chart.yaml"), []byte("apiVersion: v2\nname: made\nversion: 1.0.0\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	wanted := render.Chart{Repository: "oci://registry.test/made", Version: "1.0.0"}
	found, err := Folder(dir).Chart(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTooMuch)
	for range 20 { // whatever the render got to
		if _, err := found.Render(ctx, chart.Input{As: chart.Helm(), Release: "r", Namespace: "n"}); err == nil || strings.Contains(err.Error(), ": : ") {
			t.Errorf("Render: %v, want what it was at", err)
		}
	}
	_, err = Folder(dir).Chart(ctx, wanted)
	if want := own + ": " + errTooMuch.Error(); text(err) != want {
		t.Errorf("Chart: %v, want %s", err, want)
	}
	_, err = Named(ctx, own)
	if want := "read chart " + own + ": " + errTooMuch.Error(); text(err) != want {
		t.Errorf("Named: %v, want %s", err, want)
	}
	_, failures := Each(t.Context(), 1, nil, stopped{Folder(dir)}, []Release{{Key: "made", Chart: wanted}}, func(context.Context, int, Chart) (int, error) { return 0, nil })
	if err, want := Join([]Release{{}}, failures), "made: "+own+": "+errTooMuch.Error(); text(err) != want {
		t.Errorf("Each: %v, want %s", err, want)
	}
}

// stopped finds charts when there is no memory left.
type stopped struct{ Source }

func (s stopped) Chart(ctx context.Context, wanted render.Chart) (Chart, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(errTooMuch)
	return s.Source.Chart(ctx, wanted)
}

// TestKeeping: what a caller keeps is none of what its work may take.
func TestKeeping(t *testing.T) {
	for _, kept := range []int64{0, 5 << 20} {
		ctx := t.Context()
		if kept > 0 {
			ctx = Keeping(ctx, int(kept))
		}
		_, limits, done := bounded(ctx, noGarbage)
		if got := limits.kept.Load(); got != kept {
			t.Errorf("kept = %d, want %d", got, kept)
		}
		done()
	}
}
