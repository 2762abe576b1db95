package upgrade

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// Dater says when an image or a chart was made, as it says itself, such as a
// [registry.Client]. The time is zero where it does not say it.
type Dater interface {
	Created(ctx context.Context, image string) (time.Time, error)
}

// Ages finds out when versions were made. Registries are asked for each image and chart
// once. It may be used by many goroutines.
type Ages struct {
	from  Dater
	mu    sync.Mutex
	asked map[string]func() (time.Time, error) // by reference
}

// NewAges makes ages of which none is known yet. Without a Dater only tags are read, as
// offline.
func NewAges(from Dater) *Ages {
	return &Ages{from: from, asked: map[string]func() (time.Time, error){}}
}

// Age says when a version of an environment was made: by the time stamp of its tag, or
// else by what the image or chart says, where it is pulled from or where that comes from.
func (a *Ages) Age(ctx context.Context, plan render.Plan, part upgrade.Part, version string) upgrade.Age {
	version = render.ChartVersion(version).Version()
	if made, found := stampOf(part, version); found {
		return upgrade.Age{Made: made.Add(zones), Why: fmt.Sprintf("the time stamp of its tag, read as UTC with %d hours for other time zones", zones/time.Hour)}
	}
	if a.from == nil {
		return upgrade.Age{Why: "its tag has no time stamp, and no registry is asked: offline"}
	}
	var unknown []string
	for _, repository := range places(plan, part) {
		image := repository + ":" + ref.TagOf(version)
		switch made, err := a.created(ctx, image); {
		case err != nil:
			unknown = append(unknown, err.Error())
		case made.IsZero():
			unknown = append(unknown, image+" does not say when it was made")
		default:
			return upgrade.Age{Made: made, Why: "what " + image + " says itself"}
		}
	}
	return upgrade.Age{Why: strings.Join(unknown, "; ")}
}

// created asks when an image or a chart was made, once.
func (a *Ages) created(ctx context.Context, image string) (time.Time, error) {
	a.mu.Lock()
	ask, asked := a.asked[image]
	if !asked {
		ask = sync.OnceValues(func() (time.Time, error) { return a.from.Created(ctx, image) })
		a.asked[image] = ask
	}
	a.mu.Unlock()
	return ask()
}

// zones bounds how much later than UTC says a time stamp may have been written: the clocks of
// no place are further behind (https://www.iana.org/time-zones, Etc/GMT+12).
const zones = 12 * time.Hour

// stampOf reads the time stamp of a tag as UTC, where it has one beyond doubt. The forms
// are those of the vendor's samples, 2025.10.202511042343 and 2025.1023.154520; how the
// second one is written in January or at nine o'clock is not documented, so it must have
// all digits.
func stampOf(part upgrade.Part, tag string) (time.Time, bool) {
	form, text := "2006.0102.150405", tag
	if part == upgrade.Server {
		form, text = "200601021504", tag[strings.LastIndex(tag, ".")+1:]
	}
	tagged := part == upgrade.Server && render.Tag(tag).IsServer() || part == upgrade.UI && render.Tag(tag).IsUI()
	if !tagged || len(text) != len(form) {
		return time.Time{}, false
	}
	stamp, err := time.Parse(form, text)
	line, _ := strconv.Atoi(tag[:4])
	// A build is not much older than its release line: such digits are something else.
	return stamp, err == nil && stamp.Year() >= max(line-1, 2000)
}
