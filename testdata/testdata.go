// Package testdata embeds the example that `pm-gitops demo` shows; package
// charts below embeds its charts. Everything else in this folder is input of
// the tests.
package testdata

import "embed"

// Demo is the files of the demo's repository, below the folder demo.
//
//go:embed all:demo
var Demo embed.FS
