package render

// checkIDs is the names of all checks of package check, sorted. They are here
// because an environment file names them, and that package needs this one; a
// test of its own holds the two to each other.
func checkIDs() []string {
	return []string{
		"annotations-size",
		"argo-project",
		"bad-image",
		"bad-name",
		"chart-fails",
		"chart-kube-version",
		"deprecated-api",
		"duplicate-object",
		"embedded-database",
		"embedded-redis",
		"environment-warning",
		"foreign-image",
		"foreign-namespace",
		"gateway-auto-image",
		"hook-before-objects",
		"hook-sidecar",
		"immutable-job",
		"kube-version-unknown",
		"load-balancer",
		"lookup-use",
		"migration-deadlock",
		"migration-setting",
		"migration-twice",
		"missing-pull-secret",
		"missing-reference",
		"null-values",
		"object-size",
		"pod-runs-once",
		"random-output",
		"release-size",
		"removed-api",
		"selector-mismatch",
		"selects-nothing",
		"shared-object",
		"singleton-replicas",
		"tls-verification-disabled",
		"unpinned-image",
		"unused-ignore",
	}
}
