package diff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/diff"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// ExampleCompare compares what two trees make of a file.
func ExampleCompare() {
	old := tree.Tree{"apps/server.yaml": []byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: server}\nspec: {replicas: 2}\n")}
	new := tree.Tree{"apps/server.yaml": []byte("kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: server\nspec:\n  replicas: 3\n")}
	result := diff.Compare(diff.Documents(old), diff.Documents(new))
	fmt.Print(diff.Text(result, nil))
	// Output:
	// apps/server.yaml
	//   ~ Deployment server
	//       ~ spec.replicas: 2 -> 3
	//
	// 1 changed, 0 unchanged
}

func documents(text string) []diff.Document {
	return []diff.Document{{Within: "w", Source: "s", Namespace: "apps", YAML: []byte(text)}}
}

// in is an object with something in it.
func in(kind, rest string) string {
	versions := map[string]string{"Secret": "v1", "ConfigMap": "v1", "Service": "v1", "Pod": "v1", "PersistentVolumeClaim": "v1", "Job": "batch/v1", "RoleBinding": "rbac.authorization.k8s.io/v1", "PriorityClass": "scheduling.k8s.io/v1", "StorageClass": "storage.k8s.io/v1", "CustomResourceDefinition": "apiextensions.k8s.io/v1", "Gateway": "networking.istio.io/v1"}
	version := versions[kind]
	if version == "" {
		version = "apps/v1"
	}
	return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: x}\n" + rest + "\n"
}

// said is the lines of a text behind the head of its one object.
func said(r diff.Result) []string {
	var lines []string
	for line := range strings.Lines(diff.Text(r, nil)) {
		if strings.HasPrefix(line, "      ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestCompare(t *testing.T) {
	const pod = "spec: {containers: [{name: a, args: %s, ports: %s}]}"
	container := func(args, ports string) string { return in("Pod", fmt.Sprintf(pod, args, ports)) }
	for name, test := range map[string]struct {
		old, new string
		want     []string
	}{
		"order of keys":            {"a: 1\nb: 2", "b: 2\na: 1", nil},
		"comments and quotes":      {"a: x # why", "a: \"x\"", nil},
		"1 and 1.0":                {"a: 1", "a: 1.0", nil},
		"1 and text":               {"a: 1", "a: \"1\"", []string{`~ a: 1 -> "1"`}},
		"quantities stay texts":    {"a: 1000m", "a: 1", []string{`~ a: 1000m -> 1`}},
		"YAML 1.1":                 {"a: yes", "a: true", nil},
		"large numbers":            {"a: 9007199254740993", "a: 9007199254740992", []string{"~ a: 9007199254740993 -> 9007199254740992"}},
		"null is something":        {"a: null", "b: 1", []string{"- a: null", "+ b: 1"}},
		"line ends":                {"a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n", nil},
		"an item inserted":         {container("[a, b, c]", "[]"), container("[a, x, b, c]", "[]"), []string{"+ spec.containers[name=a].args[1]: x"}},
		"an item taken out":        {container("[a, b, c]", "[]"), container("[a, c]", "[]"), []string{"- spec.containers[name=a].args[1]: b"}},
		"an item replaced":         {container("[a, b, c]", "[]"), container("[a, x, c]", "[]"), []string{"~ spec.containers[name=a].args[1]: b -> x"}},
		"ports by protocol":        {container("[]", "[{containerPort: 1, name: x}, {containerPort: 1, protocol: UDP}]"), container("[]", "[{containerPort: 1, name: z}, {containerPort: 1, protocol: UDP}]"), []string{"~ spec.containers[name=a].ports[containerPort=1,protocol=TCP].name: x -> z"}},
		"ports of a Service":       {in("Service", "spec: {ports: [{port: 1, targetPort: 1}]}"), in("Service", "spec: {ports: [{port: 1, targetPort: 2}]}"), []string{"~ spec.ports[port=1,protocol=TCP].targetPort: 1 -> 2"}},
		"the order of a list":      {container("[a, b]", "[]"), container("[b, a]", "[]"), []string{"- spec.containers[name=a].args[0]: a", "+ spec.containers[name=a].args[1]: a"}},
		"the order of named items": {in("Gateway", "spec: {servers: [{name: a}, {name: b}]}"), in("Gateway", "spec: {servers: [{name: b}, {name: a}]}"), []string{"~ spec.servers: another order: name=a, name=b -> name=b, name=a"}},
		"names that repeat":        {in("Gateway", "spec: {servers: [{name: a, x: 1}, {name: a, x: 2}]}"), in("Gateway", "spec: {servers: [{name: a, x: 1}, {name: a, x: 3}]}"), []string{"~ spec.servers[1].x: 2 -> 3"}},
		"keys with dots":           {"a: {b.c: 1}", "a: {b.c: 2}", []string{`~ a["b.c"]: 1 -> 2`}},
		"a namespace said":         {in("Service", "spec: 1"), strings.Replace(in("Service", "spec: 1"), "{name: x}", "{name: x, namespace: apps}", 1), []string{"+ metadata.namespace: apps"}},
		"no YAML":                  {"a: [", "a: [}", []string{"~ .: 'a: [' -> 'a: [}'"}},
		"no YAML but a secret":     {"kind: Secret\na: [", "kind: Secret\na: [}", []string{"~ .: (redacted) -> (changed)"}},
		"a hundred levels":         {strings.Repeat("{a: ", 99) + "1" + strings.Repeat("}", 99), strings.Repeat("{a: ", 99) + "2" + strings.Repeat("}", 99), []string{"~ a" + strings.Repeat(".a", 98) + ": 1 -> 2"}},
		"more levels":              {strings.Repeat("[", 101) + "1" + strings.Repeat("]", 101), strings.Repeat("[", 101) + "2" + strings.Repeat("]", 101), []string{"~ .: '" + strings.Repeat("[", 101) + "1" + strings.Repeat("]", 101) + "' -> '" + strings.Repeat("[", 101) + "2" + strings.Repeat("]", 101) + "'"}},
		"a password":               {"values: {password: one}", "values: {password: two}", []string{"~ values.password: (redacted) -> (changed)"}},
		"the name of a Secret":     {"existingSecret: one", "existingSecret: two", []string{"~ existingSecret: one -> two"}},
		"an address":               {"url: https://u:one@h", "url: https://u:two@h", []string{"~ url: (redacted) -> (changed)"}},
		"a generator":              {"secretGenerator: [{name: a, literals: [x=one]}]", "secretGenerator: [{name: a, literals: [x=two]}]", []string{"~ secretGenerator[name=a].literals: (redacted) -> (changed)"}},
		"data that is no mapping":  {in("Secret", "data: [one]"), in("Secret", "data: [two]"), []string{"~ data: (redacted) -> (changed)"}},
	} {
		got := said(diff.Compare(documents(test.old), documents(test.new)))
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestObjectsBelongTogether: by group, kind, namespace and name, and within
// the same file or release alone.
func TestObjectsBelongTogether(t *testing.T) {
	for name, test := range map[string]struct {
		old, new string
		want     string
	}{
		"another version":       {"apiVersion: policy/v1beta1\nkind: P\nmetadata: {name: x}", "apiVersion: policy/v1\nkind: P\nmetadata: {name: x}", "1 changed, 0 unchanged"},
		"another group":         {"apiVersion: extensions/v1\nkind: P\nmetadata: {name: x}", "apiVersion: policy/v1\nkind: P\nmetadata: {name: x}", "1 added, 1 removed, 0 unchanged"},
		"another name":          {in("Job", ""), strings.Replace(in("Job", ""), "name: x", "name: y", 1), "1 added, 1 removed, 0 unchanged"},
		"another namespace":     {in("Job", ""), strings.Replace(in("Job", ""), "name: x", "name: x, namespace: z", 1), "1 added, 1 removed, 0 unchanged"},
		"another place":         {in("Job", "") + "---\n" + in("Pod", ""), in("Pod", "") + "---\n" + in("Job", ""), "no differences, 2 unchanged"},
		"out of a list":         {in("Job", ""), "kind: List\napiVersion: v1\nitems:\n- apiVersion: batch/v1\n  kind: Job\n  metadata: {name: x}\n", "no differences, 1 unchanged"},
		"comments alone":        {"# one\n---\n# two\n", "", "no differences, 0 unchanged"},
		"a comment behind ---":  {"--- # one\na: 1\n--- # two\nb: 1\n", "---\na: 1\n---\nb: 1\n", "no differences, 2 unchanged"},
		"the same object twice": {in("Job", "") + "---\n" + in("Job", ""), in("Job", ""), "1 removed, 1 unchanged"},
		"the same object again": {in("Job", ""), in("Job", "") + "---\n" + in("Job", ""), "1 added, 1 unchanged"},
	} {
		if got := diff.Compare(documents(test.old), documents(test.new)).Summary(); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	tree := func(file string) []diff.Document {
		return diff.Documents(tree.Tree{file: []byte(in("Job", "")), "p/.pm-gitops/e.json": []byte("{\"a\": " + fmt.Sprint(len(file)) + "}")})
	}
	if got, want := diff.Compare(tree("a.yaml"), tree("bb.yaml")).Summary(), "1 added, 1 removed, 0 unchanged"; got != want {
		t.Errorf("another file: %s, want %s", got, want)
	}
}

func TestEffects(t *testing.T) {
	template := func(image string) string {
		return "spec: {selector: {a: b}, template: {spec: {containers: [{name: a, image: " + image + "}]}}}"
	}
	keep := "metadata: {name: x, annotations: {helm.sh/resource-policy: keep}}"
	stay := "metadata: {name: x, annotations: {argocd.argoproj.io/sync-options: 'Validate=false,Prune=false'}}"
	force := "metadata: {name: x, annotations: {argocd.argoproj.io/sync-options: 'Force=true, Replace=true'}}"
	noted := func(object, metadata string) string {
		return strings.Replace(object, "metadata: {name: x}", metadata, 1)
	}
	elsewhere := func(object string) string { return strings.Replace(object, "apps/v1", "example.com/v1", 1) }
	hook := func(image string) string {
		return noted(in("Job", template(image)), "metadata: {name: x, annotations: {helm.sh/hook: pre-upgrade}}")
	}
	for name, test := range map[string]struct {
		old, new   string
		flux, argo diff.Action
	}{
		"new":                          {"", in("Job", ""), diff.Create, diff.Create},
		"gone":                         {in("Job", ""), "", diff.Delete, diff.Delete},
		"gone, kept by Helm":           {noted(in("Job", ""), keep), "", diff.Keep, diff.Delete},
		"gone, kept by Argo CD":        {noted(in("Job", ""), stay), "", diff.Delete, diff.Keep},
		"image":                        {in("Deployment", template("a")), in("Deployment", template("b")), diff.Restart, diff.Restart},
		"image of a custom resource":   {in("Gateway", template("a")), in("Gateway", template("b")), diff.Update, diff.Update},
		"image in another group":       {elsewhere(in("Deployment", template("a"))), elsewhere(in("Deployment", template("b"))), diff.Update, diff.Update},
		"selector in another group":    {elsewhere(in("Deployment", "spec: {selector: {a: b}}")), elsewhere(in("Deployment", "spec: {selector: {a: c}}")), diff.Update, diff.Update},
		"replicas":                     {in("Deployment", "spec: {replicas: 1}"), in("Deployment", "spec: {replicas: 2}"), diff.Scale, diff.Scale},
		"on delete":                    {in("DaemonSet", "spec: {updateStrategy: {type: OnDelete}, template: 1}"), in("DaemonSet", "spec: {updateStrategy: {type: OnDelete}, template: 2}"), diff.Update, diff.Update},
		"selector":                     {in("Deployment", "spec: {selector: {a: b}}"), in("Deployment", "spec: {selector: {a: c}}"), diff.Refuse, diff.Refuse},
		"selector, forced":             {noted(in("Deployment", "spec: {selector: {a: b}}"), force), noted(in("Deployment", "spec: {selector: {a: c}}"), force), diff.Refuse, diff.Recreate},
		"template of a Job":            {in("Job", template("a")), in("Job", template("b")), diff.Refuse, diff.Refuse},
		"template of a hook":           {hook("a"), hook("b"), diff.Run, diff.Defer},
		"new hook":                     {"", hook("a"), diff.Run, diff.Defer},
		"hook that is gone":            {hook("a"), "", diff.Keep, diff.Keep},
		"parallelism of a Job":         {in("Job", "spec: {parallelism: 1}"), in("Job", "spec: {parallelism: 2}"), diff.Update, diff.Update},
		"claims of a StatefulSet":      {in("StatefulSet", "spec: {volumeClaimTemplates: [{spec: 1}]}"), in("StatefulSet", "spec: {volumeClaimTemplates: [{spec: 2}]}"), diff.Refuse, diff.Refuse},
		"service of a StatefulSet":     {in("StatefulSet", "spec: {serviceName: a}"), in("StatefulSet", "spec: {serviceName: b}"), diff.Refuse, diff.Refuse},
		"policy of a StatefulSet":      {in("StatefulSet", "spec: {podManagementPolicy: OrderedReady}"), in("StatefulSet", "spec: {podManagementPolicy: Parallel}"), diff.Refuse, diff.Refuse},
		"policy, said":                 {in("StatefulSet", "spec: {replicas: 1}"), in("StatefulSet", "spec: {replicas: 1, podManagementPolicy: OrderedReady}"), diff.Update, diff.Update},
		"image of a StatefulSet":       {in("StatefulSet", template("a")), in("StatefulSet", template("b")), diff.Restart, diff.Restart},
		"size of a claim":              {in("PersistentVolumeClaim", "spec: {resources: {requests: {storage: 1Gi}}}"), in("PersistentVolumeClaim", "spec: {resources: {requests: {storage: 2Gi}}}"), diff.Update, diff.Update},
		"class of a claim":             {in("PersistentVolumeClaim", "spec: {storageClassName: a}"), in("PersistentVolumeClaim", "spec: {storageClassName: b}"), diff.Refuse, diff.Refuse},
		"headless":                     {in("Service", "spec: {type: ClusterIP}"), in("Service", "spec: {type: ClusterIP, clusterIP: None}"), diff.Refuse, diff.Refuse},
		"address no longer said":       {in("Service", "spec: {clusterIP: 10.0.0.1}"), in("Service", "spec: {}"), diff.Update, diff.Update},
		"role":                         {in("RoleBinding", "roleRef: {name: a}"), in("RoleBinding", "roleRef: {name: b}"), diff.Refuse, diff.Refuse},
		"subjects":                     {in("RoleBinding", "subjects: [{name: a}]"), in("RoleBinding", "subjects: [{name: b}]"), diff.Update, diff.Update},
		"immutable ConfigMap":          {in("ConfigMap", "immutable: true\ndata: {a: b}"), in("ConfigMap", "immutable: true\ndata: {a: c}"), diff.Refuse, diff.Refuse},
		"ConfigMap to be immutable":    {in("ConfigMap", "data: {a: b}"), in("ConfigMap", "immutable: true\ndata: {a: c}"), diff.Update, diff.Update},
		"immutable Secret":             {in("Secret", "immutable: true\ndata: {a: b}"), in("Secret", "immutable: true\ndata: {a: c}"), diff.Refuse, diff.Refuse},
		"type of a Secret":             {in("Secret", "type: Opaque"), in("Secret", "type: kubernetes.io/tls"), diff.Refuse, diff.Refuse},
		"type of a Secret, said":       {in("Secret", "a: 1"), in("Secret", "a: 1\ntype: Opaque"), diff.Update, diff.Update},
		"scope of a CRD":               {in("CustomResourceDefinition", "spec: {scope: Cluster}"), in("CustomResourceDefinition", "spec: {scope: Namespaced}"), diff.Refuse, diff.Refuse},
		"value of a priority":          {in("PriorityClass", "value: 1"), in("PriorityClass", "value: 2"), diff.Refuse, diff.Refuse},
		"provisioner":                  {in("StorageClass", "provisioner: a"), in("StorageClass", "provisioner: b"), diff.Refuse, diff.Refuse},
		"reclaim policy, said":         {in("StorageClass", "provisioner: a"), in("StorageClass", "provisioner: a\nreclaimPolicy: Delete"), diff.Update, diff.Update},
		"image of a pod":               {in("Pod", "spec: {containers: [{name: a, image: a}]}"), in("Pod", "spec: {containers: [{name: a, image: b}]}"), diff.Update, diff.Update},
		"arguments of a pod":           {in("Pod", "spec: {containers: [{name: a, args: [a]}]}"), in("Pod", "spec: {containers: [{name: a, args: [b]}]}"), diff.Refuse, diff.Refuse},
		"order of containers, restart": {in("Deployment", "spec: {template: {spec: {containers: [{name: a}, {name: b}]}}}"), in("Deployment", "spec: {template: {spec: {containers: [{name: b}, {name: a}]}}}"), diff.Restart, diff.Restart},
	} {
		sides := [][]diff.Document{documents(test.old), documents(test.new)}
		for _, side := range sides {
			for i := range side {
				side[i].Hook = strings.Contains(string(side[i].YAML), "helm.sh/hook")
			}
		}
		result := diff.Compare(sides[0], sides[1])
		if len(result.Changes) != 1 {
			t.Errorf("%s: %d changes, want 1", name, len(result.Changes))
			continue
		}
		for by, want := range map[render.Applier]diff.Action{render.ByHelm: test.flux, render.BySync: test.argo} {
			effect := result.Effects(by).Changes[0].Effect
			if effect.Action != want {
				t.Errorf("%s with %v: %s, want %s", name, by, effect, want)
			}
			if refused := want == diff.Refuse || want == diff.Recreate; refused != (effect.Source != "") && want != diff.Keep && want != diff.Defer {
				t.Errorf("%s with %v: source %q of %s", name, by, effect.Source, effect)
			}
		}
	}
}

// TestLongLists: two lists with nothing in common are compared in bounds.
func TestLongLists(t *testing.T) {
	list := func(from int) string {
		var b strings.Builder
		b.WriteString("a:\n")
		for i := range 20_000 {
			fmt.Fprintf(&b, "- %d\n", from+i)
		}
		return b.String()
	}
	result := diff.Compare(documents(list(0)), documents(list(100_000)))
	if len(result.Changes) != 1 || len(result.Changes[0].Edits) != 20_000 {
		t.Errorf("%s", result.Summary())
	}
	if text := diff.Markdown(result, 3000); len(text) > 3000 || !strings.Contains(text, "The diffs of 1 more are too long") {
		t.Errorf("%d bytes: %.400s", len(text), text)
	}
}

// TestVersionLabels: objects on which a chart only put its new version are
// counted, and those with anything else are whole.
func TestVersionLabels(t *testing.T) {
	labelled := func(version, image string) string {
		text := ""
		for _, name := range []string{"a", "b", "c"} {
			text += "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", labels: {helm.sh/chart: c-" + version + ", app.kubernetes.io/version: v" + version + "}}\n"
			if name == "c" {
				text += "spec: {containers: [{name: a, image: " + image + "}]}\n"
			}
		}
		return text
	}
	result := diff.Compare(documents(labelled("1", "x")), documents(labelled("2", "z")))
	want := []string{
		`~ metadata.labels["app.kubernetes.io/version"]: v1 -> v2`, `~ metadata.labels["helm.sh/chart"]: c-1 -> c-2`,
		"~ spec.containers[name=a].image: x -> z",
	}
	if d := cmp.Diff(want, said(result)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	const counted = "2 changed in nothing but the labels app.kubernetes.io/version and helm.sh/chart"
	if text, md := diff.Text(result, nil), diff.Markdown(result, 3000); !strings.Contains(text, "~ "+counted+"\n") || !strings.Contains(strings.ReplaceAll(md, "`", ""), "\n"+counted+".\n") {
		t.Errorf("%s\n%s", text, md)
	}
	if got, want := result.Summary(), "3 changed, 0 unchanged"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestHooksAlone: to Argo CD a change of hooks alone is none, whatever another
// release changes; with anything beside them they run
// (https://github.com/argoproj/argo-cd/blob/v3.5.1/controller/state.go).
func TestHooksAlone(t *testing.T) {
	document := func(within, name, data string, hook bool) diff.Document {
		return diff.Document{Within: within, Source: "a.yaml", Hook: hook, YAML: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {a: " + data + "}\n")}
	}
	for name, test := range map[string]struct {
		old, new []diff.Document
		want     diff.Action // of the hook "h" in release "r"
	}{
		"a hook changes":             {[]diff.Document{document("r", "h", "x", true), document("r", "p", "x", false)}, []diff.Document{document("r", "h", "y", true), document("r", "p", "x", false)}, diff.Defer},
		"a hook and an object":       {[]diff.Document{document("r", "h", "x", true), document("r", "p", "x", false)}, []diff.Document{document("r", "h", "y", true), document("r", "p", "y", false)}, diff.Run},
		"an object before a hook":    {[]diff.Document{document("r", "a", "x", false), document("r", "h", "x", true)}, []diff.Document{document("r", "a", "y", false), document("r", "h", "y", true)}, diff.Run},
		"an object of another":       {[]diff.Document{document("r", "h", "x", true), document("s", "p", "x", false)}, []diff.Document{document("r", "h", "y", true), document("s", "p", "y", false)}, diff.Defer},
		"an object goes":             {[]diff.Document{document("r", "h", "x", true), document("r", "p", "x", false)}, []diff.Document{document("r", "h", "y", true)}, diff.Run},
		"a hook goes":                {[]diff.Document{document("r", "h", "x", true), document("r", "p", "x", true)}, []diff.Document{document("r", "h", "y", true)}, diff.Defer},
		"an object becomes the hook": {[]diff.Document{document("r", "h", "x", false)}, []diff.Document{document("r", "h", "y", true)}, diff.Run},
	} {
		result := diff.Compare(test.old, test.new)
		for by, want := range map[render.Applier]diff.Action{render.BySync: test.want, render.ByHelm: diff.Run} {
			for _, c := range result.Effects(by).Changes {
				if c.Within == "r" && c.Object.Name == "h" && c.Effect.Action != want {
					t.Errorf("%s with %v: %s, want %s", name, by, *c.Effect, want)
				}
			}
		}
	}
}

// TestDataFirst: what may lose data comes before all else, of every release and of
// every result that is added, and says its effect.
func TestDataFirst(t *testing.T) {
	of := func(within string, external bool, objects ...string) []diff.Document {
		return []diff.Document{{Within: within, Source: "s", External: external, YAML: []byte(strings.Join(objects, "---\n"))}}
	}
	database := in("StatefulSet", "spec: {template: {spec: {containers: [{name: a, image: 'docker.io/library/postgres:16'}]}}}")
	old := append(of("a", false, in("ConfigMap", "")), of("b", false, in("Job", ""), in("Secret", ""), in("PersistentVolumeClaim", ""), in("StatefulSet", "spec: {persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}}"))...)
	first := diff.Compare(old, nil).Effects(render.ByHelm)
	first.Add(diff.Compare(of("c", true, in("Deployment", "")), of("c", true, database)).Effects(render.ByHelm))
	first.Add(diff.Compare(of("d", false, in("StatefulSet", "")), of("d", false, strings.Replace(database, "name: x", "name: own", 1))).Effects(render.ByHelm))
	want := `b: data may be lost
  - PersistentVolumeClaim x (s)
      delete: with what is in it, unless its class retains volumes
  - Secret x (s)
      delete: with its keys: check that nothing needs them
  - StatefulSet x (s)
      delete: with its pods, and the claims that it made (persistentVolumeClaimRetentionPolicy)

c: data may be lost
  + StatefulSet x (s)
      create: the chart starts its embedded database although spec.database is set

d: data may be lost
  - StatefulSet x (s)
      delete: with its pods; the claims that it made stay

a
  - ConfigMap x (s)
      delete

b
  - Job x (s)
      delete

c
  - Deployment x (s)
      delete

d
  + StatefulSet own (s)
      create

2 added, 7 removed, 0 unchanged; 7 delete, 2 create
`
	if d := cmp.Diff(want, diff.Text(first, nil)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
