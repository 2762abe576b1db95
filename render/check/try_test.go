package check_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// tried is the findings of a setting, whose fixes were tried.
func tried(t *testing.T, s setting) []finding.Finding {
	t.Helper()
	return tryMost(t, s, s.environment(), s.load, finding.Info, 100, nil)
}

// tryMost does so for a number of fixes, and counts them.
func tryMost(t *testing.T, s setting, text string, load func(render.Release) (chart.Chart, error), least finding.Severity, most int, count *int) []finding.Finding {
	t.Helper()
	before := inputOf(t, s, text, load)
	looked, err := check.Look(before)
	if err != nil {
		t.Fatal(err)
	}
	s.known = before.Releases
	found, err := looked.Try(check.Trial{Least: least, Most: most, Again: func(env render.Environment) (check.Looked, error) {
		if count != nil {
			*count++
		}
		in, err := inputFor(t, s, env, load)
		if err != nil {
			return check.Looked{}, err
		}
		return check.Look(in)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (s setting) load(release render.Release) (chart.Chart, error) {
	files, err := s.standIn(release)
	if err != nil {
		return chart.Chart{}, err
	}
	return chart.FromFiles(files)
}

// cloudOnce is an environment that sets chart values of prefect-cloud, rendered once.
func cloudOnce(values string) setting {
	s := cloud(values)
	s.once = true
	return s
}

// mayChange is the lines of objects that the fixes of checks may change.
var mayChange = map[string]string{
	"migration-deadlock":        `^helm.sh/hook: `,
	"singleton-replicas":        `^(replicas|maxReplicas): `,
	"missing-pull-secret":       `^(imagePullSecrets:|- name: pull)$`,
	"foreign-image":             `image: |^"hub": `,
	"tls-verification-disabled": `(?i)verify_?ssl`,
}

// TestProvedFixes applies every fix that is proved of every check's case to the text
// of the environment: the finding is gone, no other is there that was not, and only
// lines change that the check may ask to. Which fixes are proved is listed.
func TestProvedFixes(t *testing.T) {
	var proved []string
	all, applied := cases(), map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		s := all[id].fires
		for _, f := range fired(t, id) {
			if (f.Certainty == finding.Guess) != (f.Doubt != "") || (f.Certainty == "") != (f.Fix == "") || f.Certainty == finding.Proved && f.Set == nil || f.Certainty == finding.Advice && f.Set != nil {
				t.Errorf("%s: %+v", id, f)
			}
			if f.Certainty != finding.Proved || applied[f.ID+f.Fix+f.Message] {
				continue
			}
			applied[f.ID+f.Fix+f.Message] = true
			t.Run(id+"/"+f.ID, func(t *testing.T) { applies(t, s, f) })
			if f.ID == id {
				proved = append(proved, f.ID+": "+f.Fix)
			}
		}
	}
	golden(t, "testdata/proved.txt", strings.Join(slices.Compact(proved), "\n")+"\n")
}

// TestTries: what comes of fixes that are tried.
func TestTries(t *testing.T) {
	mirror := "registry: {mirror: registry.company.com/prefect}\nvalues: {prefect-istiod: {istioDiscovery: {hub: registry.company.com/istio}}}"
	postgres := replaced(with(""), "registry.company.com/app:1.0.0", "{{ .Values.db.image }}:17").with(configMap("user", "{name: '{{ .Values.admin.username }}'}"))
	valued := func(s setting, values string) setting {
		s.values = values
		return s.on("", mirror)
	}
	loop := replaced(setting{template: loops}, "replicas: 1", "replicas: {{ .Values.ticker.replicas }}")
	other := replaced(loop, "kind: loop", "kind: web")
	other.template = strings.ReplaceAll(other.template, "ticker}", "other}")
	other.template = strings.ReplaceAll(other.template, "name: ticker,", "name: other,")
	unread := setting{template: sane, values: "size: 1\n"}.on("", inApp("size: 2"))
	wanted := unread
	wanted.values, wanted.more = "", map[string]string{"values.schema.json": `{"required": ["size"], "properties": {"size": {}}}`}
	for name, tt := range map[string]struct {
		setting
		id, want string
	}{
		"a user of the image's name":  {valued(postgres, "admin: {username: postgres}\ndb: {image: postgres}\n"), "foreign-image", "proved set spec.releases[0].values.db.image=registry.company.com/prefect/docker.io/library/postgres"},
		"a user alone":                {valued(replaced(postgres, "{{ .Values.db.image }}", "postgres"), "admin: {username: postgres}\n"), "foreign-image", "advice pull it from registry.company.com/prefect/docker.io/library/postgres"},
		"an image of two uses":        {valued(postgres.with(configMap("about", "{text: 'runs {{ .Values.db.image }}'}")), "admin: {username: a}\ndb: {image: postgres}\n"), "foreign-image", "guess set spec.releases[0].values.db.image=registry.company.com/prefect/docker.io/library/postgres (it changes ConfigMap/about data.text too)"},
		"an image that is not read":   {valued(replaced(postgres, "{{ .Values.db.image }}", "postgres"), "admin: {username: a}\ndb: {image: postgres}\n"), "foreign-image", "advice pull it from registry.company.com/prefect/docker.io/library/postgres"},
		"an image with a checksum":    {valued(replaced(postgres, "labels: {app: app}}\n    spec", "labels: {app: app}, annotations: {checksum/values: '{{ .Values.db.image | sha256sum }}'}}\n    spec"), "admin: {username: a}\ndb: {image: postgres}\n"), "foreign-image", "proved set spec.releases[0].values.db.image=registry.company.com/prefect/docker.io/library/postgres"},
		"an image, and random output": {valued(postgres.with(secretWith("{{ randAlphaNum 8 | b64enc }}")), "admin: {username: a}\ndb: {image: postgres}\n"), "foreign-image", "proved set spec.releases[0].values.db.image=registry.company.com/prefect/docker.io/library/postgres"},
		"a hub":                       {setting{once: true, spec: "registry: {mirror: registry.company.com/prefect}"}, "foreign-image", "proved set spec.values.prefect-istiod.istioDiscovery.hub=registry.company.com/prefect/docker.io/istio"},
		"a pull secret":               {setting{once: true, spec: "registry: {pullSecret: pull}"}, "missing-pull-secret", "proved set spec.values.prefect-cloud.global.imagePullSecret=pull"},
		"another one is accepted":     {setting{once: true, spec: "registry: {pullSecret: pull}\nchecks: {ignore: [{check: missing-pull-secret, object: Deployment/logs, reason: a test}]}"}, "missing-pull-secret", "proved set spec.values.prefect-cloud.global.imagePullSecret=pull"},
		"a hook":                      {cloudOnce(valuesOf("1.2.900", "hook", "post-install")).on("", "migrations: {afterInstall: true}"), "migration-deadlock", "guess make the chart migrate before the services (pre-install,pre-upgrade, with Secrets and database that exist before), or in a plain Job: set spec.values.prefect-cloud.migrations.hooks=pre-install,pre-upgrade (then hook-before-objects is found at Job/prefect-db-migrations and migration-setting is found at Job/prefect-db-migrations)"},
		"own Secrets of the chart":    {cloudOnce("{createAppSecretsInChart: true, db: {use_embedded: true}}").on("argo", ""), "hook-before-objects", "advice make it exist before the release, or give the hook another phase"},
		"own database":                {cloudOnce("{db: {use_embedded: true}}").on("argo", ""), "hook-before-objects", "advice switch the chart's own database off in its values"},
		"no database":                 {setting{once: true, target: "argo", spec: "database: null"}, "hook-before-objects", "advice set spec.database"},
		"certificates":                {setting{once: true, spec: "auth: {okta: null, entra: {clientID: a, clientSecret: {secret: s, key: k}, tenantID: t, clientVerifySSL: false}}"}, "tls-verification-disabled", "proved set spec.auth.entra.clientVerifySSL=true"},
		"a misspelt name":             {cloudOnce("{globl: {instanceName: x}}"), "unknown-value", "guess write global instead (the name is like it)"},
		"a name of an entry":          {with("").on("", secretOfApp), "secret-unused", "advice correct the path, or take the entry out"},
		"a field for another chart":   {with("").on("", "values: {prefect-cloud: {db: null, serviceMesh: null}}"), "unknown-value", "advice correct the rule in a catalog of yours (spec.catalog), or take the version of the chart that the catalog's line is for"},
		"a name":                      {with(service("front+1", "")), "bad-name", "advice shorten the release's name, or set fullnameOverride or the like"},
		"a name that is overridden":   {setting{template: sane + "---\n" + service("{{ .Values.fullnameOverride }}", ""), values: "fullnameOverride: ''\n"}.on("", inApp("fullnameOverride: front+1")), "bad-name", "advice correct spec.releases[0].values.fullnameOverride"},
		"a loop":                      {valued(loop, "ticker: {replicas: 2}\n"), "singleton-replicas", "proved set spec.releases[0].values.ticker.replicas=1"},
		"a loop and another":          {valued(loop.with(other.template), "ticker: {replicas: 2}\n"), "singleton-replicas", "guess set spec.releases[0].values.ticker.replicas=1 (it changes Deployment/other spec.replicas too)"},
		"a chart that fails then":     {valued(loop.with(`{{ if lt (int .Values.ticker.replicas) 2 }}{{ fail "no" }}{{ end }}`), "ticker: {replicas: 2}\n"), "singleton-replicas", "advice set 1"},
		"another finding then":        {valued(loop.with("{{ if lt (int .Values.ticker.replicas) 2 }}\n"+job("load", "", runs)+"{{ end }}"), "ticker: {replicas: 2}\n"), "singleton-replicas", "guess set spec.releases[0].values.ticker.replicas=1 (it changes Job/load too)"},
		"no use":                      {unread, "inert-value", "proved leave spec.releases[0].values.size out"},
		"no use, and required":        {wanted, "inert-value", "advice correct the name, or take a version of the chart that reads it"},
		"no use, and the chart fails": {setting{template: `{{ fail "no" }}`, values: "size: 1\n"}.on("", inApp("sise: 2, other: 1")), "unknown-value", "guess leave spec.releases[0].values.sise out (what else it changes is not known: the chart does not render as it is)"},
	} {
		t.Run(name, func(t *testing.T) {
			found := ofID(tried(t, tt.setting), tt.id)
			if len(found) == 0 {
				t.Fatal("nothing is found")
			}
			f := found[0]
			if name == "own Secrets of the chart" {
				f = found[1] // behind the database
			}
			if i := slices.IndexFunc(found, func(f finding.Finding) bool { return f.Set != nil }); i >= 0 {
				f = found[i]
			}
			got := fmt.Sprintf("%s %s", f.Certainty, f.Fix)
			if f.Doubt != "" {
				got += " (" + f.Doubt + ")"
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s\n%s", got, tt.want, toldShort(found))
			}
			if f.Certainty == finding.Proved {
				applies(t, tt.setting, f)
			}
		})
	}
}

// applies applies a fix and looks at what came of it.
func applies(t *testing.T, s setting, f finding.Finding) {
	text := s.environment()
	for _, proposal := range f.Set {
		text = set(t, text, proposal)
	}
	before, after := inputOf(t, s, s.environment(), s.load), inputOf(t, s, text, s.load)
	was, err := check.Run(before)
	if err != nil {
		t.Fatal(err)
	}
	now, err := check.Run(after)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(toldShort(was)) {
		known[line] = true
	}
	for _, line := range slices.Collect(strings.Lines(toldShort(now))) {
		if line == toldShort([]finding.Finding{f}) {
			t.Errorf("%s does not end %s", f.Fix, line)
		}
		if !known[line] && !strings.HasPrefix(line, "unused-ignore ") {
			t.Errorf("%s: then there is %s", f.Fix, line)
		}
	}
	allowed := regexp.MustCompile(`^$`)
	if mayChange[f.ID] != "" {
		allowed = regexp.MustCompile(mayChange[f.ID])
	}
	for _, r := range before.Releases {
		i := slices.IndexFunc(after.Releases, func(other check.Release) bool { return other.Key == r.Key })
		random, again := map[string]bool{}, linesOf(r.Again)
		for line, n := range linesOf(r.Install) {
			if object, _, _ := strings.Cut(line, "|"); again[line] != n {
				random[object] = true
			}
		}
		old, fixed := linesOf(r.Install), linesOf(after.Releases[i].Install)
		for _, pair := range [][2]map[string]int{{old, fixed}, {fixed, old}} {
			for line, n := range pair[0] {
				object, text, _ := strings.Cut(line, "|")
				if n != pair[1][line] && !random[object] && !allowed.MatchString(strings.TrimSpace(text)) && !strings.Contains(text, "checksum") {
					t.Errorf("%s changes %s", f.Fix, line)
				}
			}
		}
	}
}

// linesOf counts the lines of objects, with the objects that they are of.
func linesOf(out chart.Output) map[string]int {
	lines := map[string]int{}
	for _, made := range out.Objects {
		for line := range strings.Lines(string(made.YAML)) {
			lines[fmt.Sprintf("%s/%s|%s", made.Kind, made.Name, line)]++
		}
	}
	return lines
}

// toldShort is findings on a line each, without their messages.
func toldShort(found []finding.Finding) string {
	var b strings.Builder
	for _, f := range found {
		at := f.Setting
		if f.Object != nil {
			at = f.Object.String() + " " + f.Field
		}
		fmt.Fprintf(&b, "%s %s %s\n", f.ID, f.Release, at)
	}
	return b.String()
}

// set sets a field in the text of an environment, or takes it out: what a file that
// is extended says, with null.
func set(t *testing.T, text string, proposal finding.Proposal) string {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	at := root.Content[0]
	steps := strings.FieldsFunc(proposal.Field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	for i, step := range steps {
		last, next := i == len(steps)-1, -1
		if at.Kind == yaml.SequenceNode {
			if _, err := fmt.Sscan(step, &next); err != nil || next >= len(at.Content) {
				t.Fatalf("%s has no %s", proposal.Field, step)
			}
		}
		for k := 0; at.Kind == yaml.MappingNode && k < len(at.Content); k += 2 {
			if at.Content[k].Value == step {
				next = k + 1
			}
		}
		if last && proposal.Remove && next >= 0 {
			at.Content = slices.Delete(at.Content, next-1, next+1)
			break
		}
		if next < 0 {
			at.Content = append(at.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: step}, &yaml.Node{Kind: yaml.MappingNode})
			next = len(at.Content) - 1
		}
		if at = at.Content[next]; last {
			var value yaml.Node
			if err := value.Encode(proposal.Value); err != nil {
				t.Fatal(err)
			}
			*at = value
		}
	}
	data, err := yaml.Marshal(&root)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestTriesAreBounded: fixes that are the same are tried once, those beyond the
// bound and those of findings that are not shown not at all; without any fix nothing
// is rendered.
func TestTriesAreBounded(t *testing.T) {
	two := cloudOnce("{services: {scheduler: {replicas: 2}}, oddities: {missingPullSecret: false}}").on("", "registry: {pullSecret: pull}\nmigrations: {afterInstall: false}")
	for _, tt := range []struct {
		least       finding.Severity
		most, tries int
		want, doubt string
	}{
		{finding.Info, 100, 3, "proved proved proved", ""},
		{finding.Error, 100, 2, "proved guess proved", "not tried"},
		{finding.Info, 1, 1, "proved guess guess", "not tried: the environment is rendered again at most 1 times"},
		{finding.Info, 0, 0, "guess guess guess", "not tried: the environment is rendered again at most 0 times"},
	} {
		count, seen := 0, map[string]bool{}
		var got []string
		for _, f := range tryMost(t, two, two.environment(), two.load, tt.least, tt.most, &count) {
			if f.Fix == "" || f.Set == nil || seen[f.Fix] {
				continue
			}
			seen[f.Fix] = true
			got = append(got, string(f.Certainty))
			if f.Certainty == finding.Guess && f.Doubt != tt.doubt {
				t.Errorf("doubt %q", f.Doubt)
			}
		}
		if count != tt.tries || strings.Join(got, " ") != tt.want {
			t.Errorf("most %d: tried %d times: %q", tt.most, count, got)
		}
	}
	count := 0
	tryMost(t, setting{}, setting{}.environment(), setting{}.load, finding.Info, 100, &count)
	looked, err := check.Look(inputOf(t, two, two.environment(), two.load))
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	again := func(render.Environment) (check.Looked, error) { return check.Looked{}, stop }
	if _, err := looked.Try(check.Trial{Least: finding.Info, Most: 100, Again: again}); count != 0 || !errors.Is(err, stop) {
		t.Errorf("nothing to try was tried %d times; Try = %v", count, err)
	}
}
