package rollout

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"time"
)

const hostile = "x\x1b[31m; rm -rf ~\n::error::forged\u202e'$(id)"

// TestReportsAreVisible: nothing from a cluster steers a terminal, makes a line of its
// own or becomes a command, wherever it was said.
func TestReportsAreVisible(t *testing.T) {
	release := Release{
		Part: Part{Name: hostile, State: Failed, Reason: hostile, WaitsFor: nil, Next: hostile}, Installed: hostile, Wanted: hostile, Namespace: hostile,
		Jobs:     []Job{{Name: hostile, Hooks: []string{hostile}, Phase: Broken, Failures: 1, Reason: hostile, Log: []string{hostile}, Namespace: hostile, Pod: hostile, Container: hostile}},
		NotReady: []Workload{{Kind: hostile, Name: hostile, Reason: hostile, Pod: hostile}},
	}
	release.Next = ""
	release.advise()
	if _, command, _ := strings.Cut(release.Next, "kubectl "); !strings.HasPrefix(command, `-n 'x\x1b[31m; rm -rf ~\n::error::forged\u202e'\''$(id)' logs 'x\x1b`) {
		t.Errorf("the command is not quoted: %q", release.Next)
	}
	since := time.Unix(0, 0)
	report := NewReport([]Environment{{
		Name: hostile, Title: hostile, State: Failed, Source: Part{Name: hostile, State: Failed, Reason: hostile, Since: &since}, Prereqs: Part{Name: "prereqs", State: Waiting, WaitsFor: []string{hostile}},
		Waves: []Wave{{1, []Release{release}}}, Next: hostile, Notes: []string{hostile},
	}})
	data, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	shown := Text(report, time.Unix(60, 0), nil)
	if strings.ContainsAny(shown+string(data), "\x1b\u202e") || strings.Contains(shown, "\n::") {
		t.Errorf("the report is\n%s\n%s", shown, data)
	}
}

// TestTellingContainer: an annotation names a container only if the pod has it.
func TestTellingContainer(t *testing.T) {
	for annotation, want := range map[string]string{"": "first", "second": "second", hostile: "first", "third": "first"} {
		var p pod
		text := `{"metadata":{"annotations":{}},"spec":{"containers":[{"name":"first"},{"name":"second"}]}}`
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		p.Metadata.Annotations[mainContainer] = annotation
		if got := p.telling(); got != want {
			t.Errorf("of %q it is %q, want %q", annotation, got, want)
		}
	}
}

// TestAdviceLooksAtWhatIsSet: what the environment has already is not asked for.
func TestAdviceLooksAtWhatIsSet(t *testing.T) {
	for _, test := range []struct {
		chart         render.Chart
		message, want string
	}{
		{render.Chart{Repository: "r.io/x"}, "x509: unknown authority", "r.io shows a certificate that is not trusted: name its CA with registry.caSecret"},
		{render.Chart{Repository: "r.io/x", CASecret: "ca"}, "x509: unknown authority", "r.io shows a certificate that is not trusted: check that ca.crt in Secret ca in namespace apps is of the authority that issued it"},
		{render.Chart{Repository: "r.io/x"}, "401", "r.io wants a login: create a pull Secret and name it with registry.pullSecret"},
		{render.Chart{Repository: "r.io/x", PullSecret: "pull"}, "401", "r.io refuses the login: check what Secret pull in namespace apps holds, and its right to read r.io/x"},
	} {
		if got := registryAdvice(render.Release{Namespace: "apps", Chart: test.chart}, test.message); got != test.want {
			t.Errorf("registryAdvice(%+v, %q) = %q, want %q", test.chart, test.message, got, test.want)
		}
	}
}
