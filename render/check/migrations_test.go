package check_test

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// onMigrations is the checks that a proposal of migrations must end.
var onMigrations = []string{"migration-deadlock", "migration-setting"}

// later is the catalog of the stand-ins' later lines, whose guards refuse the
// values of the lines before.
const later = `apiVersion: pm-gitops/v1
kind: Catalog
lines:
- &line
  name: "1.3"
  charts: {prefect-cloud: ">=1.3.0 <1.4.0"}
  migrations: {afterInstall: true, timeout: 30m}
  layout:
  - {field: instance.frontendUrl, path: global.frontendUrl}
  - {field: instance.backendUrl, path: global.backendUrl}
  - {field: instance.ownerEmail, path: global.ownerEmail}
  - {field: instance.name, path: instanceOfTheEnvironment}
  - {field: versions.server, path: global.backend.app.image.tag}
  - {field: versions.ui, path: ui.web.image.tag}
  - {field: auth.okta.clientID, path: global.authProvider.okta.clientID}
  - {field: auth.okta.clientSecret, path: global.authProvider.okta.clientSecret}
  - {field: auth.okta.authServerURL, path: global.authProvider.okta.authServerURL}
  - {field: database.primary, path: db.host.primary}
  - {field: database.serviceUser.password, path: db.serviceUser.password}
  - {field: database.superUser.password, path: db.adminUser.password}
  - {field: redis.cache.host, path: redis.cache.host}
  - {field: redis.work.host, path: redis.work.host}
  - {field: redis.streams.host, path: redis.streams.host}
- <<: *line
  name: "1.4"
  charts: {prefect-cloud: ">=1.4.0 <1.5.0"}
`

// valuesOf is what the values of a version's line need besides the fields.
func valuesOf(version, delivery, hooks string) string {
	more := ""
	if version >= "1.3" {
		more = ", global: {encryptionKeySecret: {name: e}, authProvider: {providers: [okta]}}, db: {embedded: {enabled: false}}, redis: {embedded: {enabled: false}, leases: {host: 10.0.0.6}}"
	}
	if hooks != "" {
		hooks = ", hooks: \"" + hooks + "\""
	}
	return "{migrations: {delivery: " + delivery + hooks + "}" + more + "}"
}

// TestMigrationProposals: for every version of the stand-ins, way of migrating,
// setting and target: whatever is found about migrations comes with a proposal
// that ends it.
func TestMigrationProposals(t *testing.T) {
	proposed := 0
	for _, version := range charts.Versions(charts.Cloud) {
		ways := []string{"hook", "job", "pod"}
		releases := []string{"flux 2.7", "argo 3.1"}
		if version == "1.2.900" || version == "1.3.901" {
			releases = append(releases, "flux 2.6")
		}
		if version == "1.2.900" {
			ways = append(ways, "hook pre-install,pre-upgrade", "hook post-install", "hook post-install,post-upgrade")
		}
		for _, way := range ways {
			for _, after := range []string{"true", "false"} {
				for _, target := range releases {
					t.Run(strings.Join([]string{version, way, after, target}, " "), func(t *testing.T) {
						delivery, hooks, _ := strings.Cut(way, " ")
						proposed += endsWithProposal(t, version, valuesOf(version, delivery, hooks), after, target)
					})
				}
			}
		}
	}
	if proposed < 30 {
		t.Errorf("%d proposals, want at least 30", proposed)
	}
}

func endsWithProposal(t *testing.T, version, values, after, target string) int {
	name, release, _ := strings.Cut(target, " ")
	s := setting{once: true, target: name, spec: fmt.Sprintf("versions: {prefectCloud: %s}\nmigrations: {afterInstall: %s}\ndelivery: {%s: {version: %q}}\nvalues: {prefect-cloud: %s}", version, after, name, release, values)}
	if version >= "1.3" && version != "1.3.901" {
		s.catalog = later
	}
	text, proposed := s.environment(), 0
	for range 3 {
		found := onlyCloud(t, s, text)
		if failed := ofID(found, "chart-fails"); failed != nil {
			t.Fatal(told(failed))
		}
		var open []finding.Finding
		for _, id := range onMigrations {
			open = append(open, ofID(found, id)...)
		}
		if len(open) == 0 {
			return proposed
		}
		if open[0].Set == nil {
			t.Fatalf("nothing is proposed for\n%s", told(open))
		}
		proposed++
		for _, proposal := range open[0].Set {
			text = apply(t, text, proposal)
		}
	}
	t.Fatalf("proposals do not end it:\n%s", text)
	return 0
}

// onlyCloud is the findings with a chart of istiod that makes nothing.
func onlyCloud(t *testing.T, s setting, text string) []finding.Finding {
	return findIn(t, s, text, func(release render.Release) (map[string][]byte, error) {
		if release.Key == render.PrefectCloud {
			return s.standIn(release)
		}
		return map[string][]byte{"Chart.yaml": []byte("apiVersion: v2\nname: " + release.Key + "\nversion: 1.2.900\n")}, nil
	})
}

// apply sets a field in the text of an environment.
func apply(t *testing.T, text string, proposal finding.Proposal) string {
	t.Helper()
	var file map[string]any
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	at, keys := file, strings.Split(proposal.Field, ".")
	for _, key := range keys[:len(keys)-1] {
		below, ok := at[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			at[key] = below
		}
		at = below
	}
	at[keys[len(keys)-1]] = proposal.Value
	data, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestMigrationDeadlocks: where a migration never comes, or only after a wait,
// and what is proposed against it.
func TestMigrationDeadlocks(t *testing.T) {
	const hooks, before = "spec.values.prefect-cloud.migrations.hooks", "pre-install,pre-upgrade"
	for _, test := range []struct {
		target, hooks, after string
		want                 string // the field that is proposed, empty for no finding
		value                any
		says                 string
	}{
		{"flux 2.7", "post-install,pre-upgrade", "true", "", nil, ""},
		{"flux 2.7", "post-install,pre-upgrade", "false", afterInstall, true, "tried again as an upgrade"},
		{"flux 2.7", "post-install", "true", hooks, before, "it never heals"},
		{"flux 2.7", "post-install", "false", hooks, before, "and fails"},
		{"flux 2.6", "post-install,pre-upgrade", "true", "", nil, ""},
		{"flux 2.6", "post-install", "true", "", nil, ""}, // Flux does not wait there
		{"flux 2.6", "post-install,pre-upgrade", "false", afterInstall, true, "and fails"},
		{"flux 2.7", before, "false", "", nil, ""},
		{"argo 3.1", "post-install,pre-upgrade", "true", "", nil, ""},
		{"argo 3.1", "post-install,post-upgrade", "true", hooks, before, "the sync never ends"},
		{"argo 3.1", before, "true", "", nil, ""},
	} {
		name, release, _ := strings.Cut(test.target, " ")
		s := setting{once: true, target: name, spec: fmt.Sprintf("migrations: {afterInstall: %s}\ndelivery: {%s: {version: %q}}\nvalues: {prefect-cloud: %s}", test.after, name, release, valuesOf("1.2.900", "hook", test.hooks))}
		found := ofID(onlyCloud(t, s, s.environment()), "migration-deadlock")
		switch {
		case test.want == "" && found == nil:
		case test.want == "" || len(found) != 1 || len(found[0].Set) != 1:
			t.Errorf("%+v: found\n%s", test, told(found))
		case found[0].Set[0].Field != test.want || found[0].Set[0].Value != test.value || !strings.Contains(found[0].Message, test.says):
			t.Errorf("%+v: found %+v", test, found[0])
		}
	}
}

const afterInstall = "spec.migrations.afterInstall"

// TestOthersMigrations: of a release that nobody knows, it is not known either
// whether its services wait.
func TestOthersMigrations(t *testing.T) {
	testRules(t, "migration-deadlock", map[string]rule{
		"after the install":    {with(job("db-migrations", "helm.sh/hook: post-install", runs)), []string{`warning Job/db-migrations metadata.annotations["helm.sh/hook"]`}},
		"before it":            {with(job("db-migrations", "helm.sh/hook: pre-install", runs)), nil},
		"no migration":         {with(job("notify", "helm.sh/hook: post-install", runs)), nil},
		"by its command":       {with(job("prepare", "helm.sh/hook: post-install", strings.Replace(runs, "name: run", "name: run, args: [manage, Migrate]", 1))), []string{`warning Job/prepare metadata.annotations["helm.sh/hook"]`}},
		"after it, Argo CD":    {with(job("db-migrations", "helm.sh/hook: post-install", runs)).on("argo", ""), []string{`warning Job/db-migrations metadata.annotations["helm.sh/hook"]`}},
		"in a test of a chart": {with(job("migration-test", "helm.sh/hook: test", runs)), nil},
	})
}
