// Package testing is empty.
//
// It exists for go mod tidy, which also wants the packages that only the tests
// of argo-cd import. Nothing builds it.
package testing
