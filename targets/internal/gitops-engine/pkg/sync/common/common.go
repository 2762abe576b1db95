// Package common has the words in which Argo CD speaks about a sync.
//
// It exists for the status of argo-cd's Application, whose fields have these
// types. Of the real package's many constants it has the two that argo-cd's
// methods compare with.
package common

// SyncPhase is the part of a sync that a resource belongs to.
type SyncPhase string

// OperationPhase is how far an operation or a hook has come.
type OperationPhase string

// ResultCode is what a sync did to a resource.
type ResultCode string

// HookType is the part of a sync in which a hook runs.
type HookType string

// ResultCodePruneSkipped is the result for a resource that is no longer wanted
// and still in the cluster.
const ResultCodePruneSkipped ResultCode = "PruneSkipped"

// AnnotationDeletionApproved holds the time at which someone agreed to what
// Prune=confirm and Delete=confirm ask.
const AnnotationDeletionApproved = "argocd.argoproj.io/deletion-approved"
