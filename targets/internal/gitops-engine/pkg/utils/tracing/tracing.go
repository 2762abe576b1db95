// Package tracing logs how long an operation took.
//
// It exists for argo-cd's runner of programs, which its API types link without
// calling: it logs each program it ran.
package tracing

import (
	"time"

	"github.com/go-logr/logr"
)

// Span is an operation under way. Finish logs it, with what it was given until
// then.
type Span interface {
	SetBaggageItem(key string, value any)
	Finish()
}

// LoggingTracer starts spans that write to one log.
type LoggingTracer struct {
	logger logr.Logger
}

// NewLoggingTracer is a tracer that writes to logger.
func NewLoggingTracer(logger logr.Logger) *LoggingTracer {
	return &LoggingTracer{logger: logger}
}

// StartSpan starts the clock of an operation.
func (t LoggingTracer) StartSpan(operationName string) Span {
	return span{logger: t.logger, operation: operationName, start: time.Now(), baggage: map[string]any{}}
}

type span struct {
	logger    logr.Logger
	operation string
	start     time.Time
	baggage   map[string]any
}

func (s span) SetBaggageItem(key string, value any) { s.baggage[key] = value }

func (s span) Finish() {
	milliseconds := time.Since(s.start).Seconds() * 1000
	var values []any
	for key, value := range s.baggage {
		values = append(values, key, value)
	}
	values = append(values, "operation_name", s.operation, "time_ms", milliseconds)
	s.logger.Info("Trace", values...)
}
