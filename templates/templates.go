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
