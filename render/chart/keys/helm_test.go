package keys_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/chart/keys"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// subject is a chart with values that make its templates go several ways.
type subject struct {
	name   string
	chart  chart.Chart
	bases  []map[string]any
	copied string // a template that writes all values down
}

// standIns is the stand-ins of all versions, and variants of theirs.
func standIns(t testing.TB) []subject {
	t.Helper()
	var all []subject
	add := func(name string, files map[string][]byte, bases []map[string]any) {
		delete(files, "values.schema.json") // only what templates do counts
		c, err := chart.FromFiles(files)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, subject{name: name, chart: c, bases: bases})
	}
	for _, name := range []string{charts.Cloud, charts.Istiod} {
		for _, version := range charts.Versions(name) {
			files, err := charts.Files(name, version)
			if err != nil {
				t.Fatal(err)
			}
			var bases []map[string]any
			for _, base := range basesOf(name, version) {
				bases = append(bases, nest(base, nil))
			}
			add(name+"-"+version, files, bases)
		}
	}
	for seed := range uint64(4) {
		files, names, err := charts.Variant(seed, seed%2 == 0)
		if err != nil {
			t.Fatal(err)
		}
		var bases []map[string]any
		for _, base := range basesOf(charts.Cloud, "1.3.900") {
			bases = append(bases, nest(base, names))
		}
		add(fmt.Sprint("variant-", seed), files, bases)
	}
	return all
}

// settings is values by dotted path.
type settings map[string]any

// basesOf is values that switch on what is off, one way and another.
func basesOf(name, version string) []settings {
	if name == charts.Istiod {
		return []settings{{"istioCNI.enabled": true, "global.imagePullSecrets": []any{"p"}, "istioDiscovery.revision": "r"}, {}}
	}
	common := settings{
		"smtp.enabled": true, "smtp.password": "p", "autoscaling.enabled": true, "ingress.enabled": true, "ingress.className": "c",
		"db.host.primary": "h", "serviceAccount.perService": true, "oddities.imageInConfigMap": true, "oddities.tagInLabel": true,
	}
	mode := func(way string, more settings) settings {
		maps.Copy(more, common)
		more["serviceMesh.authorizationMode"] = way
		return more
	}
	if version < "1.3" {
		tls := map[string]any{"enabled": true, "secretName": "s"}
		return []settings{
			mode("proxy", settings{"global.authProvider.type": "okta", "db.use_embedded": false, "redis.use_embedded": false, "ingress.tls": tls, "db.serviceuser.password": "a@b"}),
			mode("traefik", settings{"global.authProvider.type": "adfs", "db.use_embedded": false, "redis.use_embedded": false}),
			{"global.authProvider.type": "entra", "migrations.delivery": "job"},
			{"migrations.delivery": "pod", "createAppSecretsInChart": false, "smtp.enabled": true},
			{},
		}
	}
	tls := []any{map[string]any{"secretName": "s"}}
	return []settings{
		mode("proxy", settings{"secrets.create": true, "global.authProvider.providers": []any{"okta", "entra", "adfs"}, "db.embedded.enabled": false, "redis.embedded.enabled": false, "ingress.tls": tls, "db.serviceUser": map[string]any{"password": "a@b"}}),
		mode("traefik", settings{"secrets.create": true, "global.authProvider.providers": []any{"adfs", "okta"}, "db.embedded.enabled": false, "redis.embedded.enabled": false}),
		{"global.authProvider.providers": []any{"entra"}, "migrations.delivery": "job"},
		{"migrations.delivery": "pod", "smtp.enabled": true},
		{},
	}
}

// nest is settings as values, with the names of a variant.
func nest(from settings, names map[string]string) map[string]any {
	values := map[string]any{}
	for _, dotted := range slices.Sorted(maps.Keys(from)) {
		var path []any
		for key := range strings.SplitSeq(cmp.Or(names[dotted], dotted), ".") {
			path = append(path, key)
		}
		values = with(values, path, from[dotted])
	}
	return values
}

// publicCharts is the real charts, where they are.
func publicCharts(t testing.TB) []subject {
	t.Helper()
	shared := os.Getenv("PM_GITOPS_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "..", "shared")
	}
	var all []subject
	for _, name := range []string{"base-1.27.3", "base-1.28.3", "gateway-1.27.3", "gateway-1.28.3", "istiod-1.27.3", "istiod-1.28.3", "metrics-server-3.12.2", "metrics-server-3.13.0"} {
		file := filepath.Join(shared, "charts", name+".tgz")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Skipf("no public chart %s: want %s (set PM_GITOPS_SHARED to the folder with charts)", name, file)
		}
		c, err := chart.Load(data)
		if err != nil {
			t.Fatal(err)
		}
		s := subject{name: name, chart: c, copied: "configmap-values.yaml"}
		for _, file := range []string{"", "-more"} {
			data, err := os.ReadFile(filepath.Join("..", "testdata", "values", name[:strings.LastIndex(name, "-")]+file+".yaml"))
			base := map[string]any{}
			if err == nil {
				err = yaml.Unmarshal(data, &base)
			}
			if err != nil {
				t.Fatal(err)
			}
			s.bases = append(s.bases, base)
		}
		s.bases = append(s.bases, map[string]any{})
		all = append(all, s)
	}
	return all
}

// render is what Helm makes of values, or why it makes nothing; without what
// only writes all values down.
func (s subject) render(t testing.TB, values map[string]any) []byte {
	t.Helper()
	out, err := s.chart.Render(t.Context(), chart.Input{As: chart.Helm(), Release: "r", Namespace: "n", KubeVersion: "1.33", Values: values, APIVersions: []string{"networking.istio.io/v1", "monitoring.coreos.com/v1"}})
	if err != nil && strings.Contains(err.Error(), "specifications of the schema") {
		return nil // not what templates do
	}
	if err != nil {
		return []byte(err.Error())
	}
	out.Objects = slices.DeleteFunc(out.Objects, func(o chart.Object) bool {
		return s.copied != "" && strings.HasSuffix(o.Source, s.copied)
	})
	return out.Bytes()
}

// place is a path and what it has by default.
type place struct {
	path []any
	is   any
}

// places is every scalar and every map of values, in order.
func places(path []any, v any) (leaves, maps_ []place) {
	below := func(step, v any) {
		l, m := places(append(slices.Clone(path), step), v)
		leaves, maps_ = append(leaves, l...), append(maps_, m...)
	}
	switch v := v.(type) {
	case map[string]any:
		maps_ = append(maps_, place{path, v})
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below(key, v[key])
		}
	case []any:
	default:
		leaves = append(leaves, place{path, v})
	}
	return leaves, maps_
}

// with is a copy of values with another value at a path.
func with(values map[string]any, path []any, v any) map[string]any {
	copied := maps.Clone(values)
	if copied == nil {
		copied = map[string]any{}
	}
	key := path[0].(string)
	if len(path) == 1 {
		copied[key] = v
	} else {
		below, _ := copied[key].(map[string]any)
		copied[key] = with(below, path[1:], v)
	}
	return copied
}

// changed is another value of the same type.
func changed(v any) any {
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return v + 1
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			return strconv.Itoa(n + 1)
		}
		return v + "x"
	default:
		return "x"
	}
}

// set is values with nothing but one, and where a user sets it: not below the
// name that Istio's charts keep their defaults under.
func (p place) set(v any) (map[string]any, []any) {
	path := slices.DeleteFunc(slices.Clone(p.path), func(step any) bool { return step == "_internal_defaults_do_not_set" })
	if len(path) == 0 {
		return nil, nil
	}
	return with(nil, path, v), path
}

// blamed reports whether values are said to do nothing, but for the template
// that writes all values down: render leaves it out.
func (s subject) blamed(found []keys.Unknown) bool {
	return slices.ContainsFunc(found, func(u keys.Unknown) bool {
		return u.Doubtful == "" || s.copied != "" && strings.HasSuffix(u.Doubtful, s.copied+" writes all values out")
	})
}

// whole is the stand-ins of which more values are set than of the others.
var whole = []string{"prefect-cloud-1.2.900", "prefect-cloud-1.4.900", "prefect-istiod-1.2.900"}

// TestHelmAgrees sets the values of every chart, and one that does not exist in
// every map: what is said to do nothing changes nothing of what Helm makes, and
// what is said to be read changes something.
func TestHelmAgrees(t *testing.T) {
	for _, s := range standIns(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			every := 20
			if slices.Contains(whole, s.name) {
				every = 4
			}
			s.agree(t, every, 100)
		})
	}
}

// TestHelmAgreesPublic is TestHelmAgrees for the public charts. Not all that
// they read matters with the values of the test.
func TestHelmAgreesPublic(t *testing.T) {
	for _, s := range publicCharts(t) {
		t.Run(s.name, func(t *testing.T) { t.Parallel(); s.agree(t, 12, 50) })
	}
}

// agree asks every so many values, of which so many percent must do what is
// said of them. Those that are said to do nothing are set all at once.
func (s subject) agree(t *testing.T, every, percent int) {
	tree, err := keys.Of(s.chart)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := s.chart.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	var plain [][]byte
	for _, base := range s.bases {
		plain = append(plain, s.render(t, base))
	}
	leaves, tables := places(nil, defaults)
	var nothing [][]any
	var still []string
	read := 0
	for i, leaf := range leaves {
		values, path := leaf.set(changed(leaf.is))
		switch found := tree.Check(values); {
		case s.blamed(found):
			nothing = append(nothing, path)
		case found == nil && i%every == 0 && !overruled(path):
			if read++; !s.differs(t, plain, [][]any{path}, changed(leaf.is)) {
				still = append(still, fmt.Sprint(path))
			}
		}
	}
	t.Logf("%d read, of them without effect %v; inert %v", read, still, nothing)
	if len(still)*100 > read*(100-percent) {
		t.Errorf("of %d values that are read these change nothing: %v", read, still)
	}
	for _, m := range tables {
		values, path := place{append(slices.Clone(m.path), "notThere"), nil}.set("x")
		if s.blamed(tree.Check(values)) {
			nothing = append(nothing, path)
		} else if len(m.path) == 0 {
			t.Errorf("%v is not found", path)
		}
	}
	for _, v := range []any{"x", true} {
		if s.differs(t, plain, nothing, v) {
			for _, path := range nothing {
				if s.differs(t, plain, [][]any{path}, v) {
					t.Errorf("%v does something: Check says it is unknown or inert", path)
				}
			}
		}
	}
}

// overruled reports whether a value is a global of a chart in a chart: that of
// the chart around it wins.
func overruled(path []any) bool { return slices.Index(path, any("global")) > 0 }

// differs reports whether values at paths change what Helm makes of any base.
func (s subject) differs(t *testing.T, plain [][]byte, paths [][]any, v any) bool {
	for i, base := range s.bases {
		for _, path := range paths {
			base = with(base, path, v)
		}
		if made := s.render(t, base); made != nil && !bytes.Equal(plain[i], made) {
			return true
		}
	}
	return false
}
