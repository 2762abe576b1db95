package charts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// What rendering charts may take. A chart is another's program: its
// templates can loop for ever, and make any amount of text without writing a
// byte of it. The largest public charts need a second and 100 MB.
const (
	MaxTime     = 20 * time.Second // for one render of a chart, or one look at it
	maxWork     = 5 * time.Minute  // for all renders of a chart for a release
	lastWord    = 100 * time.Millisecond
	maxTaken    = 300 << 20 // bytes of memory, of the whole program but for results
	lookAtTaken = time.Millisecond
)

// The collector does not run before the program has so much memory: who looks
// at how much it has may have to wait while it runs, and one text of gigabytes
// must be seen at once. Then it runs as often as it can, for a chart that makes
// much garbage is none that takes much memory.
const (
	noGarbage = 150 << 20 // bytes
	growth    = 100       // percent

	noGarbageInWorkers = 64 << 20 // there is one worker per job, and the program beside them
)

// bounds is how much of the machine rendering charts has taken so far.
type bounds struct {
	kept      atomic.Int64 // bytes of results, which no loop makes
	noGarbage uint64       // bytes at which the collector begins to run
	stop      context.CancelCauseFunc
}

// Bounded makes a context that ends when the program takes too much memory, and
// a function to call when the work is done. Go can stop no goroutine from
// outside: a caller that sees the end of the context must end the program, which
// frees what the work holds.
func Bounded(ctx context.Context) (_ context.Context, done func()) {
	ctx, _, done = bounded(ctx, noGarbage)
	return ctx, done
}

// keeping is the key of the bytes that a caller keeps.
type keeping struct{}

// Keeping makes a context for work beside results of so many bytes, which do not
// count for its limit of memory.
func Keeping(ctx context.Context, bytes int) context.Context {
	return context.WithValue(ctx, keeping{}, bytes)
}

// bounded does as [Bounded] for callers that keep results, or stop the work because
// the time is up.
func bounded(ctx context.Context, noGarbage uint64) (_ context.Context, b *bounds, done func()) {
	ctx, stop := context.WithCancelCause(ctx)
	b = &bounds{stop: stop, noGarbage: noGarbage}
	if already, ok := ctx.Value(keeping{}).(int); ok {
		b.kept.Store(int64(already))
	}
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(math.MaxInt64)
	// Who watches need not wait until a renderer or the collector makes room.
	processors := runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 2)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		b.watchMemory(ctx)
	}()
	return ctx, b, func() {
		over := ctx.Err() != nil
		stop(nil)
		if over {
			return // the program ends, and setting anything waits for what still runs
		}
		<-watching
		runtime.GOMAXPROCS(processors)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// ErrTooLong is the error of work that is not done in time. The program must
// end with it: whatever took so long may still run.
var ErrTooLong = fmt.Errorf("not done after %v: does it loop?", MaxTime)

// errTooMuch is the error of work that takes too much memory.
var errTooMuch = fmt.Errorf("takes more than %d MB of memory: does it loop?", maxTaken>>20)

// IsOverLimits reports whether an error says that a chart took too long or too much
// memory, and so nothing about the values that it was rendered with.
func IsOverLimits(err error) bool { return errors.Is(err, ErrTooLong) || errors.Is(err, errTooMuch) }

// InTime does some work that must be done in time, and waits no longer. The error of work
// that is not, or that takes too much memory, names what it is done with, unless the caller
// does (what is empty).
func InTime[T any](ctx context.Context, what string, limit time.Duration, work func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrTooLong)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		var r result
		r.value, r.err = work(ctx)
		done <- r
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		select {
		case r = <-done: // it may know better what took so long
		case <-time.After(lastWord): // or not
		}
	}
	if cause := context.Cause(ctx); cause != nil && r.err == nil {
		r.err = cause
		if what != "" && !errors.Is(cause, context.Canceled) {
			r.err = fmt.Errorf("%s: %w", what, cause)
		}
	}
	return r.value, r.err
}

// watchMemory lets the collector run when there is something to collect, and
// ends the work when the program takes too much memory all the same. What it
// needs it has before: an allocation may have to wait for the collector.
func (b *bounds) watchMemory(ctx context.Context) {
	samples := memorySamples()
	var collecting sync.WaitGroup
	defer collecting.Wait()
	ticker := time.NewTicker(lookAtTaken)
	defer ticker.Stop()
	for collects := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch taken := readMemory(samples); {
		case taken > maxTaken+uint64(b.kept.Load()):
			b.stop(errTooMuch)
			return
		case taken > b.noGarbage && !collects:
			collects = true
			collecting.Go(func() { debug.SetGCPercent(growth) })
		}
	}
}

func memorySamples() []metrics.Sample {
	return []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
}

// readMemory reads how much memory the program takes.
func readMemory(samples []metrics.Sample) uint64 {
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
