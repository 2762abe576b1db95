package check_test

import (
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/check"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// pair is a setting with a finding, and its twin without.
type pair struct {
	fires, quiet setting
	// object is Kind/name of the first finding, and field what it says of
	// where; at is the field of the environment, and says a part of the message.
	object, field, at, says string
}

// with is the chart app with a template behind that of the sane one.
func with(template string) setting { return setting{template: sane + "---\n" + template} }

// cloud is an environment that sets chart values of prefect-cloud.
func cloud(values string) setting {
	return setting{spec: "values: {prefect-cloud: " + values + "}"}
}

// on is a setting for a target with more of an environment.
func (s setting) on(target, spec string) setting {
	s.target = target
	if spec != "" {
		s.spec += "\n" + spec
	}
	return s
}

func replaced(s setting, old, by string) setting {
	if !strings.Contains(s.template, old) {
		panic("no " + old)
	}
	s.template = strings.ReplaceAll(s.template, old, by)
	return s
}

func job(name, annotations, spec string) string {
	return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name + ", annotations: {" + annotations + "}}\nspec: {template: {spec: {" + spec + "}}}\n"
}

const runs = "restartPolicy: Never, containers: [{name: run, image: registry.company.com/app:1.0.0}]"

func service(name, more string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {selector: {app: app}, ports: [{port: 80}]" + more + "}\n"
}

func secret(name string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\n"
}

func configMap(name, data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: " + data + "\n"
}

const injectedApp = `releases: [{name: app, chart: oci://registry.company.com/charts/app, version: 1.0.0, namespace: customer-managed, needs: [prefect-istiod]}]`

const gateway = `apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway, sidecar.istio.io/inject: "true"}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
`

const loops = `apiVersion: apps/v1
kind: Deployment
metadata: {name: ticker, labels: {kind: loop}}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector: {matchLabels: {app: ticker}}
  template:
    metadata: {labels: {app: ticker}}
    spec: {containers: [{name: app, image: registry.company.com/app:1.0.0}]}
`

func cases() map[string]pair {
	all := map[string]pair{}
	for _, some := range []map[string]pair{migrationCases(), hookCases(), workloadCases(), imageCases(), valueCases(), limitCases(), lockCases(), environmentCases()} {
		maps.Copy(all, some)
	}
	return all
}

// pinned is the setting with versions that a lock pins, which has an image as it says.
func (s setting) pinned(image string) setting {
	charts := ""
	for _, chart := range []string{"registry.company.com/charts/app:1.0.0", render.VendorRegistry + "/charts/prefect-cloud:1.2.900", render.VendorRegistry + "/charts/prefect-istiod:1.2.900"} {
		charts += "- {source: " + chart + ", digest: " + lockedDigest + "}\n"
	}
	s.lock = "apiVersion: pm-gitops/v1\nkind: Lock\nenvironment: prod\ncharts:\n" + charts + "images: [" + image + "]\n"
	s.digest = lockedDigest
	return s.on(s.target, "versions: {pin: true}")
}

// charted is the setting with charts of a digest.
func (s setting) charted(digest string) setting {
	s.digest = digest
	return s
}

var lockedDigest = "sha256:" + strings.Repeat("a", 64)

const secretOfApp = "secretValues: [{release: app, path: password, secret: app, key: pw}]"

func secretWith(value string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\ndata: {password: " + value + "}\n"
}

func inApp(values string) string {
	return "releases: [{name: app, chart: oci://registry.company.com/charts/app, version: 1.0.0, namespace: apps, values: {" + values + "}}]"
}

// with is the setting with a template behind its own.
func (s setting) with(template string) setting {
	s.template += "---\n" + template
	return s
}

// twoVariables is the setting with a container that has a variable twice.
func (s setting) twoVariables() setting {
	return replaced(s, "app:1.0.0}", "app:1.0.0, env: [{name: LEVEL, value: info}, {name: LEVEL, value: debug}]}")
}

func large(field string, size int) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large, " + field + ": {a: " + strings.Repeat("x", size) + "}}\n"
}

// noise is a text that no compressor makes smaller, the same each time.
func noise(size int) string {
	text, state := make([]byte, size), uint32(1)
	for i := range text {
		state = state*1664525 + 1013904223
		text[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"[state>>26]
	}
	return string(text)
}

var known sync.Map

// fired is the findings of the case of a check, their fixes tried.
func fired(t *testing.T, id string) []finding.Finding {
	t.Helper()
	if found, ok := known.Load(id); ok {
		return found.([]finding.Finding)
	}
	found := tried(t, cases()[id].fires)
	known.Store(id, found)
	return found
}

// TestEachCheckFires: every check finds what it is there for, says where, and
// finds nothing in a twin that is well. A check without a case fails.
func TestEachCheckFires(t *testing.T) {
	all := cases()
	for _, c := range check.All() {
		one, ok := all[c.ID]
		if !ok {
			t.Errorf("%s has no case", c.ID)
			continue
		}
		delete(all, c.ID)
		t.Run(c.ID, func(t *testing.T) {
			found := fired(t, c.ID)
			of := ofID(found, c.ID)
			if len(of) == 0 {
				t.Fatalf("found\n%s", told(found))
			}
			f := of[0]
			object := ""
			if f.Object != nil {
				object = f.Object.String()
			}
			if object != one.object || one.field != "" && f.Field != one.field || one.at != "" && f.Setting != one.at || !strings.Contains(f.Message, one.says) {
				t.Errorf("found\n%s at %s, want %+v", told(of), f.Setting, one)
			}
			if f.File == "" || f.Line == 0 {
				t.Errorf("no place: %+v", f)
			}
			if left := ofID(find(t, one.quiet), c.ID); len(left) > 0 {
				t.Errorf("in the twin found\n%s", told(left))
			}
		})
	}
	for id := range all {
		t.Errorf("there is no check %s", id)
	}
}
