package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

func migrationChecks() []Check {
	return []Check{{
		ID: "migration-deadlock", Severity: finding.Error,
		Title:  "Services wait for migrations that wait for the services",
		Why:    "A hook that runs after the install comes only when everything is ready: Flux waits for the services before it runs post-install hooks, Argo CD before its phase PostSync. Services that crash until the databases are migrated are never ready, so neither comes.",
		Fix:    "For Flux, say migrations.afterInstall: true, and the first install gives up early and is tried again as an upgrade, whose hooks migrate first. For Argo CD, make the chart migrate before the services or beside them.",
		Source: "https://helm.sh/docs/topics/charts_hooks/#hooks-and-the-release-lifecycle",
		each:   migrationDeadlock, asks: asksField,
	}, {
		ID: "migration-setting", Severity: finding.Warning,
		Title:  "migrations.afterInstall says another order than the chart has",
		Why:    "With afterInstall, the first install is given little time, or for Flux before 2.7 does not wait at all. Where the chart migrates before its services or beside them, that cuts long migrations off, or opens the next wave before anything runs.",
		Fix:    "Say migrations.afterInstall: false.",
		Source: "https://fluxcd.io/flux/components/helm/helmreleases/#install-configuration",
		each:   migrationSetting,
	}, {
		ID: "migration-twice", Severity: finding.Info,
		Title:  "A hook runs before and after every sync",
		Why:    "Argo CD knows no difference between an install and an upgrade: a hook for post-install and pre-upgrade becomes PreSync and PostSync, and runs twice on every sync.",
		Fix:    "Nothing, if the hook may run twice. Otherwise give the hook one phase in the chart's values.",
		Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-hooks",
		each:   migrationTwice,
	}, {
		ID: "hook-before-objects", Severity: finding.Error,
		Title:  "A hook needs what is installed after it",
		Why:    "A hook that runs before the install, or in Argo CD's phase PreSync, finds nothing of its own release. A pod that names a Secret, ConfigMap, ServiceAccount or volume claim of it never starts, and the first install ends there.",
		Fix:    "Make what the hook needs exist before the release (for the vendor's Secrets: secrets.into: chart, and an external database), or give the hook another phase.",
		Source: "https://github.com/argoproj/argo-cd/issues/13178",
		each:   hookBeforeObjects,
	}, {
		ID: "immutable-job", Severity: finding.Error,
		Title:  "A Job keeps its name when its image changes",
		Why:    "The template of a Job cannot be changed: an API server refuses the next upgrade, with another image in a Job of the same name, and the release stays as it is.",
		Fix:    "Let the chart put the version into the Job's name, or make the Job a hook with before-hook-creation.",
		Source: "https://kubernetes.io/docs/concepts/workloads/controllers/job/",
		each:   immutableJob,
	}, {
		ID: "pod-runs-once", Severity: finding.Warning,
		Title:  "A bare pod runs to its end, and never again",
		Why:    "A pod that is part of a release and ends is not started again by an upgrade: a migration in it runs once, on the first install. Helm 3, which is in Flux before 2.8, waits for the pod to be ready, and one that has ended never is.",
		Fix:    "Make the chart use a Job, as a hook or with the version in its name.",
		Source: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-lifetime",
		each:   podRunsOnce,
	}}
}

// migrations is the Jobs and pods that migrate databases: those that say so,
// or for prefect-cloud any Job that is a hook of an install.
func (r *release) migrations() []*object {
	var named, hooks []*object
	for _, o := range r.objects {
		if !o.is("Job", "Pod") || o.tests() {
			continue
		}
		switch {
		case o.migrates():
			named = append(named, o)
		case o.is("Job") && (o.runs("pre-install", "post-install") || o.phase("PreSync") || o.phase("PostSync")):
			hooks = append(hooks, o)
		}
	}
	if named == nil && r.Key == render.PrefectCloud {
		return hooks
	}
	return named
}

// migrates reports whether a Job or pod says that it migrates: in its name, or
// in the name or command of a container.
func (o *object) migrates() bool {
	said := []string{o.Name}
	for _, p := range o.pods() {
		for _, c := range p.Containers() {
			said = append(said, scalar(c.Spec["name"]))
			for _, word := range append(list(c.Spec["command"]), list(c.Spec["args"])...) {
				said = append(said, scalar(word))
			}
		}
	}
	return slices.ContainsFunc(said, func(s string) bool { return strings.Contains(strings.ToLower(s), "migrat") })
}

const afterInstall = "spec.migrations.afterInstall"

func migrationDeadlock(s *scope, r *release) {
	for _, o := range r.migrations() {
		if s.byHelm() {
			helmDeadlock(s, o)
		} else {
			syncDeadlock(s, o)
		}
	}
}

// helmDeadlock finds hooks that Helm runs too late: only prefect-cloud is known to wait for its migrations
// (https://docs-customer-managed.prefect.io/overview/deploying-customer-managed).
func helmDeadlock(s *scope, o *object) {
	r, retried := o.release, s.Traits.UpgradesFailedInstalls
	if !o.runs("post-install") || o.runs("pre-install") {
		return
	}
	heals := retried && o.runs("pre-upgrade")
	switch {
	case r.Key != render.PrefectCloud:
		f := o.finding(o.hookField(), "the hook runs only when everything of the release is ready: if that waits for the migration, the first install waits for its whole timeout%s", until(heals))
		f.Severity = finding.Warning
		f.Fix = "let the chart migrate before the install, or make its services ready without it"
		s.add(f)
	case !r.MigratesAfterInstall:
		f := o.finding(o.hookField(), "%s runs this post-install hook only when the services are ready, and they wait for the migration: the first install hangs for %s%s", s.Traits.Title, length(r.InstallTimeout), until(heals))
		propose(&f, finding.Proposal{Field: afterInstall}, true, "")
		s.put(&f, afterInstall)
		if retried && !heals {
			f.Set = nil
			hookProposal(s, &f, o)
		}
		s.add(f)
	case retried && !heals:
		f := o.finding(o.hookField(), "%s runs this post-install hook only when the services are ready, and they wait for the migration; no hook migrates before the upgrade that follows a failed install, so it never heals", s.Traits.Title)
		hookProposal(s, &f, o)
		s.add(f)
	}
}

func until(heals bool) string {
	if heals {
		return ", and then is tried again as an upgrade, which migrates first"
	}
	return ", and fails"
}

// syncDeadlock finds hooks that a sync runs when everything is healthy.
func syncDeadlock(s *scope, o *object) {
	if !o.phase("PostSync") || o.phase("PreSync") {
		return
	}
	f := o.finding(o.hookField(), "Argo CD runs this hook in phase PostSync, when everything is healthy, and services that wait for the migration never are: the sync never ends")
	if o.release.Key != render.PrefectCloud {
		f.Severity = finding.Warning
		f.Message = "Argo CD runs this hook in phase PostSync, when everything is healthy: if that waits for the migration, the sync never ends"
	}
	hookProposal(s, &f, o)
	s.add(f)
}

// hookProposal proposes to migrate before the install and before upgrades,
// where the chart has a value that says when.
func hookProposal(s *scope, f *finding.Finding, o *object) {
	name, before := "helm.sh/hook", "pre-install,pre-upgrade"
	if o.Hook.Annotation != "" {
		name, before = o.Hook.Annotation, "PreSync"
	}
	f.Fix = "make the chart migrate before the services (" + before + ", with Secrets and database that exist before), or in a plain Job"
	said := o.annotation(name)
	field := s.putValue(f, o.release, func(_ string, value any) bool { return said != "" && scalar(value) == said })
	if field.Field != "" {
		words := f.Fix
		propose(f, field, before, words)
		f.Fix = words + ": " + f.Fix
	}
}

func migrationSetting(s *scope, r *release) {
	migrations := r.migrations()
	after := func(o *object) bool { return o.runs("post-install") && !o.runs("pre-install") }
	if !s.byHelm() || r.Key != render.PrefectCloud || !r.MigratesAfterInstall || migrations == nil || slices.ContainsFunc(migrations, after) {
		return
	}
	order := "beside the services"
	if migrations[0].Hook != nil {
		order = "before the services"
	}
	f := migrations[0].finding("", "the chart migrates %s, but migrations.afterInstall is on: the first install has only %s, while migrations may take %s", order, length(r.InstallTimeout), length(r.UpgradeTimeout))
	if s.Traits.SkipsFirstWait {
		f.Message = fmt.Sprintf("the chart migrates %s, but migrations.afterInstall is on: %s then does not wait for the first install, and the next wave starts before anything runs", order, s.system())
	}
	propose(&f, finding.Proposal{Field: afterInstall}, false, "")
	s.put(&f, afterInstall)
	s.add(f)
}

func migrationTwice(s *scope, r *release) {
	for _, o := range r.objects {
		if o.phase("PreSync") && o.phase("PostSync") {
			f := o.finding(o.hookField(), "Argo CD runs this hook (%s) twice on every sync: in phase PreSync and in phase PostSync", o.Hook.Said())
			f.Fix = "nothing, if it may run twice; else give it one phase in the chart's values"
			s.add(f)
		}
	}
}

// length is a length of time as people write it: 10m, not 10m0s.
func length(d time.Duration) string {
	short := d.String()
	if strings.HasSuffix(short, "m0s") {
		short = strings.TrimSuffix(short, "0s")
	}
	if strings.HasSuffix(short, "h0m") {
		short = strings.TrimSuffix(short, "0m")
	}
	return short
}
