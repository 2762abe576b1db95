// This module stands in for Argo CD's gitops-engine, whose path it must have.
// The types of argo-cd/v2 need a handful of its names, and the real one brings
// k8s.io/kubernetes and kubectl along, which no current Helm builds with. Here
// is what those types use and nothing else. Nothing of it is copied; the tests
// in ../argoparity compare it with the real one.
module github.com/argoproj/gitops-engine

go 1.26.0

require github.com/go-logr/logr v1.4.3
