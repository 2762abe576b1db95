package main

import (
	"strings"
	"sync/atomic"

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
// [context=NAME] STATE … A state is files, a+b, laid over each other. Each look
// at the delivery system's objects sees the next state, the last one stays.
// That nothing was asked for but to be read is found out at the end.
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
			streams = append(streams, []byte(ts.ReadFile(file)))
		}
		objects, err := rollouttest.Objects(streams...)
		ts.Check(err)
		rollouttest.Compared(objects)
		states = append(states, objects)
	}
	var looks atomic.Int64
	server := clustertest.New(func(request string) []unstructured.Unstructured {
		first := !strings.Contains(request, "continue=") // page of a list
		if first && (strings.Contains(request, "/kustomizations?") || strings.Contains(request, "/applications?")) {
			looks.Add(1)
		}
		return states[min(max(int(looks.Load())-1, 0), len(states)-1)]
	})
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

