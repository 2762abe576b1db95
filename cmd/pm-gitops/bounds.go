package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// What rendering charts may take. A chart is somebody else's program: its
// templates can loop for ever, and make any amount of text without writing a
// byte of it. The largest public charts need a second and 100 MB.
const (
	mostTime    = 20 * time.Second
	mostTaken   = 350 << 20 // bytes of memory, of the whole program
	mostGarbage = 48 << 20  // bytes that are made between two collections
	lookAtTaken = time.Millisecond
)

// bounded is a context that ends when the time is up or the program takes too
// much memory. Go can stop no goroutine from outside: whoever sees the end of
// it must end the program, which frees both.
//
// Until cancel, the collector runs when we say so. It stops everything else
// first, and waits for whoever copies gigabytes with that: left alone it would
// keep us from looking just when there is something to see.
func bounded(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	ctx, expired := context.WithTimeoutCause(ctx, mostTime, fmt.Errorf("not done after %v: does it loop?", mostTime))
	ctx, stop := context.WithCancelCause(ctx)
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(math.MaxInt64)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		watchMemory(ctx, stop)
	}()
	return ctx, func() {
		over := ctx.Err() != nil
		stop(nil)
		expired()
		<-watching
		if over {
			return // the program ends, and what still runs must not hold that up
		}
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// watchMemory collects garbage, and ends the work when the program takes too
// much memory all the same.
func watchMemory(ctx context.Context, stop context.CancelCauseFunc) {
	tooMuch := fmt.Errorf("takes more than %d MB of memory: does it loop?", mostTaken>>20)
	var memory memory
	kept, collecting := memory.look().objects, atomic.Bool{}
	ticker := time.NewTicker(lookAtTaken)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch now := memory.look(); {
		case now.taken > mostTaken:
			stop(tooMuch)
		case collecting.Load():
			kept = now.objects
		case now.objects > kept+mostGarbage:
			collecting.Store(true)
			go func() {
				runtime.GC()
				collecting.Store(false)
			}()
		}
	}
}

// memory is how much memory the program has from the system, and how much of
// that its objects take, garbage too.
type memory struct {
	samples        []metrics.Sample
	taken, objects uint64
}

func (m *memory) look() memory {
	if m.samples == nil {
		m.samples = []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	}
	metrics.Read(m.samples)
	m.taken, m.objects = m.samples[0].Value.Uint64()-m.samples[1].Value.Uint64(), m.samples[2].Value.Uint64()
	return *m
}
