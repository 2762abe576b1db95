package check_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rule is what a check finds in a setting: objects and fields.
type rule struct {
	setting
	want []string
}

// testRules compares what a check finds with what rules say.
func testRules(t *testing.T, id string, rules map[string]rule) {
	t.Helper()
	for name, r := range rules {
		t.Run(id+"/"+name, func(t *testing.T) {
			found := find(t, r.setting)
			var got []string
			for _, f := range ofID(found, id) {
				object := f.Release
				if f.Object != nil {
					object = f.Object.String()
				}
				got = append(got, strings.TrimSpace(string(f.Severity)+" "+object+" "+f.Field))
			}
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%s", diff, told(found))
			}
		})
	}
}

func scaler(kind, most string) string {
	return "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: ticker}\nspec: {scaleTargetRef: {kind: " + kind + ", name: ticker}" + most + "}\n"
}

func TestSingletons(t *testing.T) {
	own := func(s string) setting { return setting{template: s} }
	testRules(t, "singleton-replicas", map[string]rule{
		"one":                {own(loops), nil},
		"two":                {replaced(own(loops), "replicas: 1", "replicas: 2"), []string{"error Deployment/ticker spec.replicas"}},
		"two of another":     {replaced(replaced(own(loops), "replicas: 1", "replicas: 2"), "kind: loop", "kind: web"), nil},
		"an autoscaler":      {own(loops + scaler("Deployment", ", maxReplicas: 4")), []string{"error HorizontalPodAutoscaler/ticker spec.maxReplicas"}},
		"one that keeps one": {own(loops + scaler("Deployment", ", maxReplicas: 1")), nil},
		"one of another":     {own(loops + scaler("StatefulSet", ", maxReplicas: 4")), nil},
		"a rolling update":   {replaced(own(loops), "Recreate", "RollingUpdate"), []string{"info Deployment/ticker spec.strategy.type"}},
		"one a node":         {replaced(replaced(own(loops), "kind: Deployment", "kind: DaemonSet"), "replicas: 1", "minReadySeconds: 1"), []string{"error DaemonSet/ticker kind"}},
	})
}

// TestCatalogLoops: the catalog says which services are loops where no label does.
func TestCatalogLoops(t *testing.T) {
	s := cloud("{services: {ladler: {replicas: 2}, auth: {replicas: 2}}}")
	if got := ofID(find(t, s), "singleton-replicas"); got != nil {
		t.Errorf("found\n%s", told(got))
	}
	s.over = "apiVersion: pm-gitops/v1\nkind: Catalog\nlines: [{name: \"1.2\", loops: [ladler]}]\n"
	got := told(ofID(find(t, s), "singleton-replicas"))
	if !strings.Contains(got, "error singleton-replicas prefect-cloud Deployment/ladler spec.replicas") || strings.Contains(got, "Deployment/auth") {
		t.Errorf("found\n%s", got)
	}
}

func TestGateways(t *testing.T) {
	own := setting{template: gateway}
	deaf := replaced(own, `, sidecar.istio.io/inject: "true"`, "")
	testRules(t, "gateway-auto-image", map[string]rule{
		"beside the injector":   {own.whole(), []string{"error Deployment/gateway spec.template.spec.containers[0].image"}},
		"after the injector":    {own.on("", injectedApp).whole(), nil},
		"without a mesh":        {own.on("", "mesh: none"), []string{"error Deployment/gateway spec.template.spec.containers[0].image"}},
		"with a mesh of yours":  {own.on("", "mesh: existing"), nil},
		"nobody is asked":       {deaf, []string{"error Deployment/gateway spec.template.spec.containers[0].image"}},
		"the namespace asks":    {deaf.on("", injectedApp), nil},
		"for a revision":        {deaf.on("", injectedApp).on("", "mesh: {existing: {revision: 1-28}}").on("", "").without("needs: [prefect-istiod]"), nil},
		"the pod wants nothing": {replaced(own, `"true"`, `"false"`).on("", injectedApp), []string{"error Deployment/gateway spec.template.spec.containers[0].image"}},
	})
}

func TestSidecars(t *testing.T) {
	testRules(t, "hook-sidecar", map[string]rule{
		"a plain Job":        {with(job("load-1.0.0", "", runs)).on("", injectedApp), []string{"warning Job/load-1.0.0 spec.template.metadata.labels"}},
		"not injected":       {with(job("load-1.0.0", "", runs)), nil},
		"no mesh":            {with(job("load-1.0.0", "", runs)).on("", injectedApp).on("", "mesh: none").without("needs: [prefect-istiod]"), nil},
		"the host's network": {with(job("load-1.0.0", "", runs+", hostNetwork: true")).on("", injectedApp), nil},
		"a test":             {with(job("load-1.0.0", "helm.sh/hook: test", runs)).on("", injectedApp), nil},
		"the label wins":     {with(strings.Replace(job("load-1.0.0", "", runs), "template: {spec", `template: {metadata: {labels: {sidecar.istio.io/inject: "true"}, annotations: {sidecar.istio.io/inject: "false"}}, spec`, 1)).on("", injectedApp), []string{"warning Job/load-1.0.0 spec.template.metadata.labels"}},
		"an annotation does": {with(strings.Replace(job("load-1.0.0", "", runs), "template: {spec", `template: {metadata: {annotations: {sidecar.istio.io/inject: "false"}}, spec`, 1)).on("", injectedApp), nil},
		"what runs for ever": {with("").on("", injectedApp), nil},
	})
}

func TestHookOrder(t *testing.T) {
	needs := func(annotations string) string {
		return job("prepare", annotations, runs+", serviceAccountName: runner")
	}
	account := func(annotations string) string {
		return "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner, annotations: {" + annotations + "}}\n---\n"
	}
	found := []string{"error Job/prepare spec.template.spec.serviceAccountName"}
	testRules(t, "hook-before-objects", map[string]rule{
		"of the release":            {with(account("") + needs("helm.sh/hook: pre-install")), found},
		"before an upgrade":         {with(account("") + needs("helm.sh/hook: pre-upgrade")), nil},
		"an upgrade is a sync":      {with(account("")+needs("helm.sh/hook: pre-upgrade")).on("argo", ""), found},
		"after it":                  {with(account("") + needs("helm.sh/hook: post-install")), nil},
		"of an earlier hook":        {with(account(`helm.sh/hook: pre-install, helm.sh/hook-weight: "-5"`) + needs("helm.sh/hook: pre-install")), nil},
		"of a later hook":           {with(account(`helm.sh/hook: pre-install, helm.sh/hook-weight: "5"`) + needs("helm.sh/hook: pre-install")), found},
		"of nobody":                 {with(needs("helm.sh/hook: pre-install")), nil},
		"both phases, own Secrets":  {cloud("{createAppSecretsInChart: true, db: {use_embedded: true}}").on("argo", ""), []string{`error Job/prefect-db-migrations metadata.annotations["helm.sh/hook"]`, "error Job/prefect-db-migrations spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.name", "error Job/prefect-db-migrations spec.template.spec.containers[0].env[1].valueFrom.secretKeyRef.name", "error Job/prefect-db-migrations spec.template.spec.containers[0].env[2].valueFrom.secretKeyRef.name"}},
		"both phases, own database": {cloud("{db: {use_embedded: true}}").on("argo", ""), []string{`error Job/prefect-db-migrations metadata.annotations["helm.sh/hook"]`}},
		"both phases, nothing own":  {setting{target: "argo"}, nil},
	})
}

func TestJobs(t *testing.T) {
	testRules(t, "immutable-job", map[string]rule{
		"fixed":              {with(job("load", "", runs)), []string{"error Job/load metadata.name"}},
		"the tag":            {with(job("load-2-3-4", "", strings.ReplaceAll(runs, "1.0.0", "2.3.4"))), nil},
		"a hash":             {with(job("load-0a1b2c3d", "", runs)), nil},
		"a hook":             {with(job("load", "helm.sh/hook: post-install", runs)), nil},
		"one that goes":      {with(strings.Replace(job("load", "", runs), "spec: {", "spec: {ttlSecondsAfterFinished: 60, ", 1)), nil},
		"one made anew":      {with(job("load", `argocd.argoproj.io/sync-options: "Force=true,Replace=true"`, runs)).on("argo", ""), nil},
		"replaced, no force": {with(job("load", `argocd.argoproj.io/sync-options: "Replace=true"`, runs)).on("argo", ""), []string{"error Job/load metadata.name"}},
	})
}

func TestLoadBalancers(t *testing.T) {
	front := with(service("front", ", type: LoadBalancer"))
	const earlier = "releases: [{name: app, chart: oci://registry.company.com/charts/app, version: 1.0.0, namespace: apps}]"
	want := []string{"warning Service/front spec.type"}
	testRules(t, "load-balancer", map[string]rule{
		"somebody needs it":        {front.on("", "needs: {prefect-cloud: [app]}"), want},
		"an earlier wave, Flux":    {front.on("", earlier), nil},
		"an earlier wave, Argo CD": {front.on("argo", earlier), want},
		"the last wave, Argo CD":   {front.on("argo", strings.Replace(earlier, "apps}", "apps, needs: [prefect-cloud]}", 1)), nil},
		"a cluster's own":          {with(service("front", "")).on("", "needs: {prefect-cloud: [app]}"), nil},
	})
}

func TestPullSecrets(t *testing.T) {
	const secret = "registry: {pullSecret: pull, source: registry.company.com/x}"
	account := "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default}\nimagePullSecrets: [{name: pull}]\n"
	want := []string{"warning Deployment/app spec.template.spec.imagePullSecrets"}
	testRules(t, "missing-pull-secret", map[string]rule{
		"without":                 {with("").on("", secret), want},
		"no secret is asked":      {with(""), nil},
		"the pod has it":          {replaced(with(""), "spec: {containers", "spec: {imagePullSecrets: [{name: pull}], containers").on("", secret), nil},
		"the pod has others":      {replaced(with(""), "spec: {containers", "spec: {imagePullSecrets: [{name: push}], containers").on("", secret), want},
		"its account has it":      {setting{template: sane + account}.on("", secret), nil},
		"from elsewhere":          {replaced(with(""), "registry.company.com/app", "quay.io/app/app").on("", secret), nil},
		"from the mirror":         {with("").on("", "registry: {pullSecret: pull, mirror: registry.company.com/x}"), want},
		"from a place of the map": {with("").on("", "registry: {pullSecret: pull, mirror: hub.company.com, map: {gcr.io: registry.company.com/gcr}}"), want},
		"from beside the mirror":  {with("").on("", "registry: {pullSecret: pull, mirror: hub.company.com, source: registry.company.com}"), nil},
	})
}

func TestForeignImages(t *testing.T) {
	mirror := func(s setting) setting { return s.on("", "registry: {mirror: registry.company.com/prefect}") }
	image := func(name string) setting { return mirror(replaced(with(""), "registry.company.com/app", name)) }
	testRules(t, "foreign-image", map[string]rule{
		"on the mirror's host":  {mirror(with("")), nil},
		"on a host of the map":  {with("").on("", "registry: {mirror: hub.company.com, map: {docker.io: registry.company.com/hub}}"), nil},
		"another host":          {image("quay.io/a/b"), []string{"error Deployment/app spec.template.spec.containers[0].image"}},
		"no host":               {image("busybox"), []string{"error Deployment/app spec.template.spec.containers[0].image"}},
		"hidden":                {mirror(with(configMap("jobs", `{job.yaml: "containers: [{name: a, image: docker.io/library/busybox:1.37.0}]"}`))), []string{`warning ConfigMap/jobs data["job.yaml"]: containers[0].image`}},
		"a hook that runs late": {mirror(with(job("test", "helm.sh/hook: pre-delete", strings.ReplaceAll(runs, "registry.company.com/app", "quay.io/a/b")))), []string{"error Job/test spec.template.spec.containers[0].image"}},
		"no mirror":             {replaced(with(""), "registry.company.com/app", "quay.io/a/b"), nil},
	})
}

func TestReferences(t *testing.T) {
	env := func(from string) setting {
		return replaced(with(""), "image: reg", "env: [{name: A, valueFrom: {"+from+"}}], image: reg")
	}
	field := ".valueFrom.secretKeyRef.name"
	testRules(t, "missing-reference", map[string]rule{
		"nobody makes it":        {env("secretKeyRef: {name: a, key: b}"), []string{"warning Deployment/app spec.template.spec.containers[0].env[0]" + field}},
		"optional":               {env("secretKeyRef: {name: a, key: b, optional: true}"), nil},
		"the chart makes it":     {env("secretKeyRef: {name: a, key: b}").with(secret("a")), nil},
		"in another namespace":   {env("secretKeyRef: {name: a, key: b}").with(strings.Replace(secret("a"), "name: a", "name: a, namespace: b", 1)), []string{"warning Deployment/app spec.template.spec.containers[0].env[0]" + field}},
		"a controller makes it":  {env("secretKeyRef: {name: a, key: b}").with("apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c}\nspec: {secretName: a}\n"), nil},
		"it must exist anyway":   {env("secretKeyRef: {name: pull, key: b}").on("", "registry: {pullSecret: pull}"), nil},
		"every namespace has it": {env("configMapKeyRef: {name: kube-root-ca.crt, key: b}"), nil},
	})
}

func TestPatterns(t *testing.T) {
	high := with("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\n")
	testRules(t, "argo-project", map[string]rule{
		"of the group":     {high.on("argo", `delivery: {argo: {clusterResources: [{group: "*.k8s.io", kind: Priority*}]}}`), nil},
		"of another group": {high.on("argo", `delivery: {argo: {clusterResources: [{group: "*.istio.io", kind: "*"}]}}`), []string{"error PriorityClass/high kind"}},
	})
}

func TestPlaceholders(t *testing.T) {
	labelled := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {version: '{{ .Chart.Version }}'}}\n"
	testRules(t, "bad-name", map[string]rule{
		"a placeholder":                     {with(service("front-FILL-IN", "")), nil},
		"a version with a digest":           {with(labelled), []string{"error ConfigMap/a metadata.labels.version"}},
		"a version with a digest, replaced": {with(strings.Replace(labelled, " }}", ` | replace "+" "_" }}`, 1)), nil},
		"a version without a digest":        {with(labelled).on("argo", ""), nil},
	})
	elsewhere := setting{template: sane, more: map[string]string{"values.schema.json": `{"properties": {"a": {"$ref": "https://schemas.company.com/s.json"}}}`}}
	testRules(t, "values-schema", map[string]rule{"a schema elsewhere": {elsewhere, []string{"info app"}}})
	testRules(t, "bad-image", map[string]rule{"a placeholder": {replaced(with(""), "registry.company.com/app", "FILL-IN/app"), nil}})
}

func TestSelectors(t *testing.T) {
	of := func(labels string) setting {
		return with(strings.Replace(service("front", ""), "app: app", labels, 1))
	}
	none := of("app: apps")
	testRules(t, "selects-nothing", map[string]rule{
		"nothing":                {none, []string{"warning Service/front spec.selector"}},
		"one of a StatefulSet":   {of("app: app, statefulset.kubernetes.io/pod-name: app-0"), nil},
		"of a Job":               {of("job-name: load"), nil},
		"another release failed": {none.failing(), nil},
	})
	secret := with("").on("", "registry: {pullSecret: pull, source: registry.company.com/x}")
	testRules(t, "missing-pull-secret", map[string]rule{"another release failed": {secret.failing(), nil}})
	testRules(t, "gateway-auto-image", map[string]rule{"another release failed": {setting{template: gateway}.on("", "mesh: none").failing(), nil}})
}

// failing is the setting with another release that does not render.
func (s setting) failing() setting {
	s.broken = true
	return s
}

func TestInsecure(t *testing.T) {
	value := func(text string) setting { return with(configMap("a", "{a: '"+text+"'}")) }
	env := func(name, text string) setting {
		return replaced(with(""), "image: reg", "env: [{name: "+name+", value: '"+text+"'}], image: reg")
	}
	arg := func(text string) setting { return replaced(with(""), "image: reg", "args: ['"+text+"'], image: reg") }
	found, there := []string{"warning ConfigMap/a data.a"}, []string{"warning Deployment/app spec.template.spec.containers[0].env[0].value"}
	flag := []string{"warning Deployment/app spec.template.spec.containers[0].args[0]"}
	testRules(t, "tls-verification-disabled", map[string]rule{
		"disable":            {value("postgresql://a/b?sslmode=disable"), found},
		"prefer":             {value("sslmode: prefer"), found},
		"require":            {value("postgresql://a/b?sslmode=require"), found},
		"verify-ca":          {value("sslmode: verify-ca"), nil},
		"not said":           {value("postgresql://a/b?sslmode=&x=y"), nil},
		"from elsewhere":     {value("sslmode=$MODE sslmode=mode.of(it)"), nil},
		"the second":         {value("sslmode=verify-full sslmode=disable"), found},
		"misspelt":           {value("sslmode=verify_full"), found},
		"a client's":         {env("PGSSLMODE", "disable"), there},
		"a client's, well":   {env("PGSSLMODE", "verify-full"), nil},
		"verify-full":        {value("postgresql://a/b?sslmode=verify-full"), nil},
		"a longer word":      {value("sslmode=preferred"), found},
		"many that are off":  {value(strings.Repeat("--insecure-skip-tls-verify=false ", 20_000)), nil},
		"JSON":               {value(`{"insecureSkipVerify": true}`), found},
		"JSON that is well":  {value(`{"insecureSkipVerify": false}`), nil},
		"a variable":         {env("NODE_TLS_REJECT_UNAUTHORIZED", "0"), there},
		"a variable set":     {env("NODE_TLS_REJECT_UNAUTHORIZED", "1"), nil},
		"verify ssl":         {env("CLIENT_VERIFY_SSL", "false"), there},
		"a mode":             {env("SSLMODE", "allow"), there},
		"a flag":             {arg("--kubelet-insecure-tls"), flag},
		"a flag that is on":  {arg("--insecure-skip-tls-verify=true"), flag},
		"a flag that is off": {arg("--insecure-skip-tls-verify=false"), nil},
		"the environment":    {setting{spec: "auth: {okta: null, adfs: {clientID: a, clientSecret: {secret: s, key: k}, clientAuthority: https://a.b, clientVerifySSL: false}}"}, []string{"warning", "warning ConfigMap/prefect-cloud data.AUTH_ADFS_CLIENT_VERIFY_SSL"}},
	})
}

func TestVersions(t *testing.T) {
	budget := with("apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: app}\nspec: {selector: {matchLabels: {app: app}}}\n")
	at := func(version string) setting { return budget.on("", `cluster: {kubeVersion: "`+version+`"}`) }
	found := []string{"PodDisruptionBudget/app apiVersion"}
	testRules(t, "removed-api", map[string]rule{
		"1.25": {at("1.25"), []string{"error " + found[0]}}, "v1.30.2": {at("v1.30.2"), []string{"error " + found[0]}}, "1.24": {at("1.24"), nil}, "unknown": {budget.on("", "cluster: null"), nil},
	})
	testRules(t, "deprecated-api", map[string]rule{
		"1.25": {at("1.25"), nil}, "1.24": {at("1.24"), []string{"warning " + found[0]}}, "1.20": {at("1.20"), nil}, "unknown": {budget.on("", "cluster: null"), []string{"warning " + found[0]}},
	})
}

// TestJobsOfARevision: a Job with the release's revision in its name is another
// one on each upgrade, but for Argo CD, to which every sync is revision 1.
func TestJobsOfARevision(t *testing.T) {
	const name = "load-{{ .Release.Revision }}"
	testRules(t, "immutable-job", map[string]rule{
		"flux":                     {with(job(name, "", runs)), nil},
		"argo":                     {with(job(name, "", runs)).on("argo", ""), []string{"error Job/load-1 metadata.name"}},
		"flux, one name":           {with(job("load", "", runs)), []string{"error Job/load metadata.name"}},
		"flux, others on upgrades": {with(job("load", "", "restartPolicy: Never, containers: [{name: run-{{ .Release.IsUpgrade }}, image: registry.company.com/app:1.0.0}]")), []string{"error Job/load metadata.name"}},
	})
}

// TestDuplicateEntryMessages: what happens to two entries with one key depends
// on who merges the list.
func TestDuplicateEntryMessages(t *testing.T) {
	two := setting{template: sane}.twoVariables()
	for says, s := range map[string]setting{
		"by which Flux 2.7 merges the list":                             two,
		"Flux 2.8 applies the object on the server's side":              two.on("", "delivery: {flux: {version: '2.8'}}"),
		"Argo CD 2.14 applies the object on the server's side":          two.on("argo", ""),
		"[port=80,protocol=\"TCP\"], by which Flux 2.7 merges the list": with(strings.Replace(service("a", ""), "{port: 80}", "{port: 80, name: a}, {port: 80, name: b, protocol: TCP}", 1)),
	} {
		if found := ofID(find(t, s), "duplicate-entry"); len(found) != 1 || !strings.Contains(found[0].Message, says) {
			t.Errorf("found\n%s, want %s", told(found), says)
		}
	}
	testRules(t, "duplicate-entry", map[string]rule{
		"a port with two protocols":    {with(strings.Replace(service("a", ""), "{port: 80}", "{port: 80, name: a}, {port: 80, name: b, protocol: UDP}", 1)), nil},
		"a kind of another":            {with("apiVersion: a.b/v1\nkind: C\nmetadata: {name: c}\nspec: {env: [{name: a}, {name: a}]}\n"), nil},
		"a list without keys":          {with("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: c}\nrules: [{apiGroups: [a, a], resources: [b], verbs: [get]}, {apiGroups: [a, a], resources: [b], verbs: [get]}]\n"), nil},
		"a secret for pulls":           {replaced(setting{template: sane}, "spec: {containers", "spec: {imagePullSecrets: [{name: a}, {name: a}], containers"), []string{"error Deployment/app spec.template.spec.imagePullSecrets"}},
		"a variable of each container": {replaced(setting{template: sane}, "app:1.0.0}", "app:1.0.0, env: [{name: A, value: b}]}, {name: b, image: 'app:1.0.0', env: [{name: A, value: b}]}"), nil},
	})
}
