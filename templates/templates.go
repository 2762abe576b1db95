// Package templates holds the text that people read or that starts their
// files. Manifests are never made from text.
package templates

import _ "embed" // the files

// Environment is the starter environment file: complete, commented, and valid
// as it is.
//
//go:embed environment.yaml
var Environment []byte

// ArgoHealth is the health check of Applications that Argo CD runs for the
// Applications above them: Lua, with the libraries that Argo CD gives it.
//
//go:embed argo-health.lua
var ArgoHealth string

// Commit is the text/template of what a commit says, without its trailers. It gets
// Scope and What for the title, and Lines.
//
//go:embed commit.txt
var Commit string

// CIGitHub and those after it are text/templates, with [[ and ]] around actions, of
// files that hold a repository to its environment files. Each gets System, the name of
// the system; File, a path or pattern in the repository; and Target, the value of
// --target, empty without it: both as quoted texts of YAML. CIGitHub is a workflow of GitHub
// Actions or Gitea Actions.
//
//go:embed ci-github.yaml
var CIGitHub string

// CIGitLab is jobs of GitLab CI.
//
//go:embed ci-gitlab.yaml
var CIGitLab string

// CIKubernetes is a CronJob of Kubernetes and what it needs.
//
//go:embed ci-kubernetes.yaml
var CIKubernetes string

// Page is html/templates that pages share: the head with its style, the waves, and what
// happens in the cluster.
//
//go:embed page.html
var Page string

// Diff is the html/template of the page that pm-gitops diff writes.
//
//go:embed diff.html
var Diff string

// Plan is the html/template of the page that pm-gitops plan writes: it needs no network and
// runs no script.
//
//go:embed plan.html
var Plan string
