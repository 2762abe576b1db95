package charts

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
)

// WorkerArgument is the only argument of the program where it is a worker.
const WorkerArgument = "render-charts-for-pm-gitops"

// greeting is the first that a worker says: what answers otherwise is none.
const greeting = "pm-gitops worker 1"

// maxIdle limits how many bytes a worker may hold between two requests. One that
// holds more ends, and another takes its place.
const maxIdle = 150 << 20

// Work does what the requests on in ask for, and gives the exit code. It ends
// with in, whatever it is at: the program that started it is gone then, or has
// no use for it.
func Work(in io.Reader, out io.Writer) int {
	signal.Ignore(os.Interrupt) // the terminal's is for the program that started us
	debug.SetGCPercent(growth)
	requests := make(chan request)
	go func() {
		decoder := json.NewDecoder(in)
		decoder.UseNumber() // an int64 of the values must not become a float
		for {
			var asked request
			if err := decoder.Decode(&asked); err != nil {
				os.Exit(0)
			}
			requests <- asked
		}
	}()
	encoder := gob.NewEncoder(out)
	if err := encoder.Encode(greeting); err != nil {
		return 1
	}
	serving := server{}
	for asked := range requests {
		answer, err := serving.answer(asked).send()
		if err == nil {
			err = encoder.Encode(answer)
		}
		switch {
		case err != nil:
			return 1
		case answer.Last:
			return 0
		}
	}
	return 0
}

// server is a worker with the charts that it was given.
type server struct{ charts []Chart }

// answer does what is asked for, in bounds. After a limit was reached the
// worker ends: what reached it may still run.
func (s *server) answer(asked request) reply {
	var warned bytes.Buffer
	log.SetFlags(0)
	log.SetOutput(&warned)
	start := time.Now()
	ctx, _, done := bounded(context.Background(), noGarbageInWorkers)
	answer, err := InTime(ctx, asked.Title, maxWork, func(ctx context.Context) (reply, error) { return s.do(ctx, asked) })
	over := ctx.Err() != nil || time.Since(start) >= MaxTime
	if err != nil {
		answer = reply{Failed: err}
	}
	if over {
		answer.Last = true
		return answer // what still runs may log
	}
	done()
	answer.Last = heldIdle() > maxIdle
	answer.Log = slices.Collect(strings.Lines(warned.String()))
	return answer
}

// heldIdle measures how much memory is taken; where that is much, without garbage.
func heldIdle() uint64 {
	samples := memorySamples()
	if taken := readMemory(samples); taken <= maxIdle {
		return taken
	}
	debug.FreeOSMemory()
	return readMemory(samples)
}

func (s *server) do(ctx context.Context, asked request) (reply, error) {
	if asked.New != nil {
		own, err := asked.New.read()
		if err != nil {
			return reply{}, err
		}
		s.charts = append(s.charts, own)
	}
	if asked.Chart < 0 || asked.Chart >= len(s.charts) {
		return reply{}, fmt.Errorf("no chart %d was given", asked.Chart)
	}
	var made reply
	var err error
	own, in := s.charts[asked.Chart], asked.Input
	switch asked.Do {
	case doRender:
		made.Install, err = own.Render(ctx, in)
	case doEverything:
		made.Install, err = own.RenderAll(ctx, in)
	case doTrace:
		made.Trace, err = own.Trace(ctx, asked.Release, in)
	case doJudge:
		made.Judgement, err = own.Judge(ctx, asked.Release, in.Values)
	case doExamine:
		var release check.Release
		release, err = own.Examine(ctx, asked.Release, in)
		made = replyWith(release)
	default:
		err = fmt.Errorf("%q cannot be asked for", asked.Do)
	}
	return made, err
}

// replyWith makes a reply of what was found out about a release.
func replyWith(made check.Release) reply {
	r := reply{Install: made.Install, Again: made.Again, Upgrade: made.Upgrade, Trace: made.Trace, Failure: made.Failure, TraceFailure: made.TraceFailure}
	if made.Judgement != nil {
		r.Judgement = *made.Judgement
	}
	r.Repeats = slices.EqualFunc(made.Install.Objects, made.Again.Objects, isSame) && slices.EqualFunc(made.Install.Left, made.Again.Left, isSameLeft)
	return r
}

func isSame(a, b chart.Object) bool {
	return a.ID() == b.ID() && bytes.Equal(a.YAML, b.YAML)
}

func isSameLeft(a, b chart.Left) bool { return isSame(a.Object, b.Object) }
