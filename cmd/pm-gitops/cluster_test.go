package main

import (
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pm-gitops/pm-gitops/cmd/internal/cluster/clustertest"
	"github.com/pm-gitops/pm-gitops/render/rollout/rollouttest"
)

// clusters is the clusters of a script, by the name of their context.
type clusters map[string]*clustertest.Server

// clustersKey is where a script's environment keeps them.
type clustersKey struct{}

// startCluster starts an API server and points KUBECONFIG at it: cluster
// [context=NAME] STATE … A state is files, a+b, laid over each other; the file
// well lets everything be ready, and holds Secrets and ConfigMaps. Each look
// at the cluster sees the next state, and the last one stays. That nothing was
// asked for but to be read is found out at the end.
func startCluster(ts *testscript.TestScript, neg bool, args []string) {
	name := "main"
	if len(args) > 0 && strings.HasPrefix(args[0], "context=") {
		name, args = strings.TrimPrefix(args[0], "context="), args[1:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: cluster [context=NAME] STATE …")
	}
	var states [][]unstructured.Unstructured
	for _, state := range args {
		var streams [][]byte
		for _, file := range strings.Split(state, "+") {
			if file == "well" {
				streams = append(streams, []byte(well))
				continue
			}
			streams = append(streams, []byte(ts.ReadFile(file)))
		}
		objects, err := rollouttest.Objects(streams...)
		ts.Check(err)
		rollouttest.Compared(objects)
		states = append(states, objects)
	}
	server := clustertest.New(inTurn(states))
	ts.Defer(func() {
		server.Close()
		for _, request := range server.Requests() {
			if !strings.HasPrefix(request, "GET ") || strings.Contains(request, "secrets") || strings.Contains(request, "configmaps") {
				ts.Logf("the program sent %s", request)
				panic("a status only reads, and nothing secret")
			}
		}
	})
	all := ts.Value(clustersKey{}).(clusters)
	all[name] = server
	ts.Check(clustertest.Kubeconfig(ts.MkAbs("kubeconfig"), all))
	ts.Setenv("KUBECONFIG", ts.MkAbs("kubeconfig"))
}

// inTurn gives the requests of each look at a cluster the next state. They come
// side by side, but each list is asked for once a look.
func inTurn(states [][]unstructured.Unstructured) func(string) []unstructured.Unstructured {
	var mu sync.Mutex
	looks, newest := map[string]int{}, 0
	return func(request string) []unstructured.Unstructured {
		mu.Lock()
		defer mu.Unlock()
		path, query, _ := strings.Cut(request, "?")
		look := looks[path]
		switch {
		case strings.HasSuffix(path, "/log"):
			look = newest
		case !strings.Contains(query, "continue="): // page of a list
			look++
			looks[path], newest = look, max(newest, look)
		}
		return states[min(look, len(states))-1]
	}
}

// well is the status of everything, once all went well, and what nobody may read.
const well = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system, generation: 1}
status:
  observedGeneration: 1
  conditions: [{type: Ready, status: "True", observedGeneration: 1}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: "*", generation: 1}
status:
  observedGeneration: 1
  conditions: [{type: Ready, status: "True", observedGeneration: 1}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: "*", generation: 1}
status:
  observedGeneration: 1
  conditions: [{type: Ready, status: "True", observedGeneration: 1}]
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: "*", generation: 1}
status:
  observedGeneration: 1
  conditions: [{type: Ready, status: "True", observedGeneration: 1}]
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: "*"}
status:
  sync: {status: Synced}
  health: {status: Healthy}
---
apiVersion: v1
kind: Secret
metadata: {name: prefect-auth, namespace: prefect}
stringData: {client-secret: canary-secret}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: apps}
data: {setting: canary-setting}
`
