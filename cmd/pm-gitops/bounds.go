package main

import (
	"context"
	"fmt"
	"runtime/metrics"
	"time"
)

// What rendering charts may take. A chart is somebody else's program: its
// templates can loop for ever, and make any amount of text without writing a
// byte of it. The largest public charts need a second and 100 MB.
const (
	mostTime    = 30 * time.Second
	mostTaken   = 400 << 20 // bytes of memory, of the whole program
	lookAtTaken = 2 * time.Millisecond
)

// bounded is a context that ends when the time is up or the program takes too
// much memory. Go can stop no goroutine from outside: whoever sees the end of
// it must end the program, which frees both.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, expired := context.WithTimeoutCause(ctx, mostTime, fmt.Errorf("not done after %v: does it loop?", mostTime))
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		ticker := time.NewTicker(lookAtTaken)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if taken() > mostTaken {
					cancel(fmt.Errorf("takes more than %d MB of memory: does it loop?", mostTaken>>20))
				}
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		expired()
	}
}

// taken is how much memory the program has from the system.
func taken() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
