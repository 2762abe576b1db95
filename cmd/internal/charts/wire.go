package charts

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

// What a worker can be asked to do with a chart.
const (
	doRender     = "render"
	doEverything = "everything"
	doTrace      = "trace"
	doJudge      = "judge"
	doExamine    = "examine"
)

// request is what a worker is asked for, as JSON: values keep their numbers.
type request struct {
	Do      string
	Title   string  // of the chart, for errors
	Chart   int     // which one, by the order in which they were given
	New     *packed `json:",omitempty"` // the chart, if the worker does not have it yet
	Input   chart.Input
	Release render.Release
}

// reply is the answer, as gob: objects are bytes.
type reply struct {
	Install, Again, Upgrade chart.Output
	Repeats                 bool // Again is Install
	Trace                   trace.Trace
	Judgement               check.Judgement
	Failure, TraceFailure   error

	// Failed is why there is no answer.
	Failed error
	// Log is what Helm warns of.
	Log []string
	// Last says that the worker ends.
	Last bool
}

// examined fills in what is known of a release.
func (r reply) examined(made *check.Release) {
	made.Install, made.Again, made.Upgrade = r.Install, r.Again, r.Upgrade
	made.Trace, made.Judgement = r.Trace, &r.Judgement
	made.Failure, made.TraceFailure = r.Failure, r.TraceFailure
}

// sent is a reply as it is sent. Gob knows no errors, and no empty lists.
type sent struct {
	Install, Again, Upgrade                   chart.Output
	Repeats, Last                             bool
	Trace                                     []byte
	Unknown                                   []keys.Unknown
	Refused                                   []chart.SchemaProblem
	Shared                                    []int // which YAML of Install the objects of Upgrade have
	Unread, Log                               []string
	Failed, Failure, TraceFailure, Unknowable *failure
}

func (r reply) send() (sent, error) {
	text, err := json.Marshal(r.Trace)
	s := sent{
		Install: r.Install, Again: r.Again, Upgrade: r.Upgrade, Repeats: r.Repeats, Last: r.Last, Trace: text,
		Unknown: r.Judgement.Unknown, Refused: r.Judgement.Refused, Unread: r.Judgement.Unread, Log: r.Log,
		Failed: failureOf(r.Failed), Failure: failureOf(r.Failure), TraceFailure: failureOf(r.TraceFailure), Unknowable: failureOf(r.Judgement.Failure),
	}
	if s.Repeats {
		s.Again = chart.Output{}
	}
	s.Upgrade.Objects, s.Shared = dropShared(s.Install.Objects, s.Upgrade.Objects)
	return s, err
}

// dropShared leaves out the YAML that objects share with those of an install,
// and says which ones have it; 0 stands for none, 1 for the first.
func dropShared(install, objects []chart.Object) ([]chart.Object, []int) {
	places := map[string]int{}
	for i, object := range install {
		places[string(object.YAML)] = i + 1
	}
	objects, shared := slices.Clone(objects), make([]int, len(objects))
	for i := range objects {
		if shared[i] = places[string(objects[i].YAML)]; shared[i] > 0 {
			objects[i].YAML = nil
		}
	}
	return objects, shared
}

func (s sent) receive() (reply, error) {
	r := reply{
		Install: s.Install, Again: s.Again, Upgrade: s.Upgrade, Last: s.Last, Log: s.Log,
		Judgement: check.Judgement{Unknown: s.Unknown, Refused: s.Refused, Unread: s.Unread, Failure: s.Unknowable.err()},
		Failed:    s.Failed.err(), Failure: s.Failure.err(), TraceFailure: s.TraceFailure.err(),
	}
	if s.Repeats {
		r.Again = r.Install
	}
	for i, place := range s.Shared {
		if place > 0 {
			r.Upgrade.Objects[i].YAML = r.Install.Objects[place-1].YAML
		}
	}
	return r, json.Unmarshal(s.Trace, &r.Trace)
}

// failure is an error as it is sent: its text, and what callers branch on.
type failure struct {
	Text             string
	TooLong, TooMuch bool
	Kubernetes       *chart.KubeVersionError
	Refused          *chart.RefusedError
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	f := failure{Text: err.Error(), TooLong: errors.Is(err, ErrTooLong), TooMuch: errors.Is(err, errTooMuch)}
	var wrong chart.KubeVersionError
	if errors.As(err, &wrong) {
		f.Kubernetes = &wrong
	}
	var refused chart.RefusedError
	if errors.As(err, &refused) {
		f.Refused = &refused
	}
	return &f
}

func (f *failure) err() error {
	switch {
	case f == nil:
		return nil
	case f.TooLong:
		return told{f.Text, ErrTooLong}
	case f.TooMuch:
		return told{f.Text, errTooMuch}
	case f.Kubernetes != nil:
		return told{f.Text, *f.Kubernetes}
	case f.Refused != nil:
		return told{f.Text, *f.Refused}
	}
	return errors.New(f.Text)
}

// told is an error of a worker.
type told struct {
	text  string
	cause error
}

func (t told) Error() string { return t.text }
func (t told) Unwrap() error { return t.cause }
