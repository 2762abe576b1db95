package charts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/trace"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkerArgument {
		os.Exit(Work(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// made is charts that only a test has, by version.
type made map[string]string

func (m made) Chart(_ context.Context, wanted render.Chart) (Chart, error) {
	template, known := m[wanted.Version]
	if !known {
		return Chart{}, fmt.Errorf("no chart %s", wanted.Version)
	}
	return packed{Files: map[string][]byte{
		"Chart.yaml":           []byte("apiVersion: v2\nname: made\nversion: " + wanted.Version + "\nkubeVersion: '>=1.29.0-0'\n"),
		"values.yaml":          []byte("text: x\npassword: ''\nbig: 0\n"),
		"templates/a.yaml":     []byte(template),
		"values.schema.json":   []byte(`{"properties": {"text": {"type": "string"}}}`),
		"templates/hook.yaml":  []byte("kind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: pre-upgrade}}\n"),
		"crds/definition.yaml": []byte("# whole\nkind: CustomResourceDefinition\nmetadata: {name: c}\n"),
	}, Digest: "sha256:0123456789abcdef"}.read()
}

const (
	plain  = "kind: Secret\nmetadata: {name: a}\nstringData: {p: {{ .Values.password | quote }}, big: {{ int64 .Values.big | quote }}}\n"
	fails  = `{{ fail "no" }}`
	crowds = `{{ repeat 2000000000 "x" }}`
	warns  = "{{ $_ := set .Values \"a\" 1 }}{{ $_ = lookup \"v1\" \"Secret\" \"n\" \"s\" }}" + plain
)

var source = made{"1.0.0": plain, "2.0.0": fails, "3.0.0": crowds, "4.0.0": warns, "5.0.0": plain + "# {{ randAlphaNum 8 }}"}

func releases(versions ...string) []Release {
	var all []Release
	for i, version := range versions {
		all = append(all, Release{Environment: fmt.Sprint("e", i), Key: "made", Chart: render.Chart{Version: version}})
	}
	return all
}

// found is everything that is asked of a chart.
type found struct {
	out     chart.Output
	all     chart.Output
	trace   trace.Trace
	judged  check.Judgement
	release check.Release
	texts   []string // of the errors
}

func askEverything(ctx context.Context, own Chart) (f found, err error) {
	release := render.Release{Key: "made", Name: "r", Namespace: "n", Values: render.Values{"text": 1, "big": 1234567890123456789, "nobody": true},
		SecretInputs: []render.SecretInput{{Path: "password", From: render.SecretRef{Secret: "s", Key: "k"}}}}
	values, err := release.PlaceholderValues()
	if err != nil {
		return f, err
	}
	in := chart.Input{As: chart.Flux("2.7"), Release: "r", Namespace: "n", Values: values, KubeVersion: "1.20", Digest: own.Digest, OriginName: "r", OriginNamespace: "n"}
	say := func(err error) {
		if err != nil {
			f.texts = append(f.texts, err.Error())
		}
	}
	for _, text := range []any{1, "x"} { // the schema refuses a number
		values["text"], release.Values["text"] = text, text
		for _, in.KubeVersion = range []string{"1.20", "1.33"} {
			f.out, err = own.Render(ctx, in)
			say(err)
			var wrong chart.KubeVersionError
			if errors.As(err, &wrong) {
				f.texts = append(f.texts, wrong.Wanted)
			}
			f.judged, err = own.Judge(ctx, release, values)
			say(err)
		}
	}
	f.all, err = own.RenderAll(ctx, in)
	say(err)
	f.trace, err = own.Trace(ctx, release, in)
	say(err)
	f.release, err = own.Examine(ctx, release, in)
	say(err)
	say(f.release.Failure)
	say(f.release.TraceFailure)
	f.release.Chart, f.release.Failure, f.release.TraceFailure = chart.Chart{}, nil, nil
	return f, nil
}

// TestWorkersSayTheSame: what a worker says of a chart is what this process
// says, errors included.
func TestWorkersSayTheSame(t *testing.T) {
	workers := NewWorkers(2, os.Environ())
	defer workers.Close()
	wanted := releases("1.0.0", "2.0.0", "4.0.0", "1.0.0", "2.0.0")
	work := func(ctx context.Context, _ int, own Chart) (found, error) { return askEverything(ctx, own) }
	theirs, failures := Each(t.Context(), 2, workers, source, wanted, work)
	ours, _ := Each(t.Context(), 2, nil, source, wanted, work)
	for i := range wanted {
		if failures[i] != nil {
			t.Error(failures[i])
		}
		if len(ours[i].texts) < 4 || wanted[i].Chart.Version != "2.0.0" && (len(ours[i].all.Objects) == 0 || len(ours[i].trace.Inputs) == 0 || len(ours[i].judged.Unknown) == 0) {
			t.Errorf("%s: too little was asked: %+v", wanted[i].Chart.Version, ours[i])
		}
		if asked := len(theirs[i].all.Lookups) > 0; asked != (wanted[i].Chart.Version == "4.0.0") {
			t.Errorf("%s: a worker tells of lookups: %t", wanted[i].Chart.Version, asked)
		}
		if !reflect.DeepEqual(theirs[i], ours[i]) {
			t.Errorf("%s: a worker says\n%+v\nwant\n%+v", wanted[i].Chart.Version, theirs[i], ours[i])
		}
	}
}

// TestWorkersFailAlone: a release that takes too much memory, or has no chart,
// fails alone, again and again, and leaves nothing in this process.
func TestWorkersFailAlone(t *testing.T) {
	workers := NewWorkers(2, os.Environ())
	defer workers.Close()
	versions := []string{"1.0.0", "3.0.0", "0.0.0", "1.0.0", "3.0.0", "1.0.0", "2.0.0"}
	before := inUse()
	results, failures := Each(t.Context(), 2, workers, source, releases(versions...), func(ctx context.Context, _ int, own Chart) (int, error) {
		out, err := own.Render(ctx, chart.Input{As: chart.Helm(), Release: "r", Namespace: "n"})
		return len(out.Objects), err
	})
	for i, version := range versions {
		want := map[string]string{"3.0.0": "chart made 3.0.0: made/templates/a.yaml: takes more than 300 MB of memory: does it loop?", "0.0.0": "made: no chart 0.0.0", "2.0.0": "execution error at (made/templates/a.yaml:1:3): no"}[version]
		switch {
		case want == "" && (failures[i] != nil || results[i] != 3):
			t.Errorf("%s: %d objects, %v", version, results[i], failures[i])
		case want != "" && (failures[i] == nil || !strings.HasSuffix(failures[i].Error(), want)):
			t.Errorf("%s: %v, want %s", version, failures[i], want)
		}
	}
	text := Join(releases(versions...), failures).Error()
	if strings.Count(text, "takes more than") != 1 || !strings.HasPrefix(text, "e1: ") {
		t.Errorf("joined\n%s\nwant each text once, with the environment", text)
	}
	if again := JoinAgain(Join(releases(versions...), failures), nil, Join(releases(versions...), failures)).Error(); again != text {
		t.Errorf("joined twice\n%s\nwant\n%s", again, text)
	}
	if after := inUse(); after > before+20<<20 {
		t.Errorf("%d MB in use, %d before", after>>20, before>>20)
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestWorkersAreReused: a process does one release after another, until it is
// lost; then another one takes its place.
func TestWorkersAreReused(t *testing.T) {
	workers := NewWorkers(1, os.Environ())
	defer workers.Close()
	render := func() error {
		_, failures := Each(t.Context(), 1, workers, source, releases("1.0.0", "5.0.0"), func(ctx context.Context, _ int, own Chart) (any, error) {
			return own.Render(ctx, chart.Input{As: chart.Helm(), Release: "r", Namespace: "n"})
		})
		return errors.Join(failures...)
	}
	one := workers.all[0]
	if err := render(); err != nil {
		t.Fatal(err)
	}
	first := one.cmd.Process
	if err := render(); err != nil || one.cmd.Process != first {
		t.Fatalf("another process after %v", err)
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := render(); err == nil || !strings.Contains(err.Error(), "chart made 1.0.0: the process that rendered it ended") || strings.Contains(err.Error(), "5.0.0") {
		t.Errorf("got %v, want that the first release's process ended", err)
	}
	if err := render(); err != nil || one.cmd.Process == first {
		t.Errorf("got %v, want another process", err)
	}
	workers.Close()
	if one.cmd != nil {
		t.Error("the process still runs")
	}
}

// TestWorkersGetNoCredentials: what is in the environment of this process is
// not in a worker's.
func TestWorkersGetNoCredentials(t *testing.T) {
	workers := NewWorkers(1, []string{"GITHUB_TOKEN=x", "TZ=UTC", "HOME=/root"})
	if got := workers.all[0].environ; !reflect.DeepEqual(got, []string{"TZ=UTC"}) {
		t.Errorf("a worker gets %q", got)
	}
}

// TestFailuresAreSent: an error keeps its text, and what callers branch on.
func TestFailuresAreSent(t *testing.T) {
	var ended told
	for _, err := range []error{ErrTooLong, errTooMuch, chart.KubeVersionError{Wanted: "a", Got: "b"}, chart.RefusedError{By: "a", Text: "b"}} {
		got := failureOf(fmt.Errorf("chart a: %w", err)).err()
		if !errors.Is(got, err) || got.Error() != "chart a: "+err.Error() || !errors.As(got, &ended) {
			t.Errorf("%v became %v", err, got)
		}
		if want := err == ErrTooLong || err == errTooMuch; IsOverLimits(got) != want {
			t.Errorf("IsOverLimits(%v) = %v", err, !want)
		}
	}
	if failureOf(nil).err() != nil {
		t.Error("no error became one")
	}
}
