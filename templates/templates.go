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

// CIGitHub is a workflow of GitHub Actions that holds a repository to its
// environment files.
//
//go:embed ci-github.yaml
var CIGitHub []byte

// CIGitLab is a job of GitLab CI that does so.
//
//go:embed ci-gitlab.yaml
var CIGitLab []byte
