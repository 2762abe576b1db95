package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The rest of the environment file: how and where it is delivered, upgraded and checked.
// Comments and omitempty count as in environment.go.

// Migrations says how the databases are migrated; the defaults come from the
// catalog's line.
type Migrations struct {
	// How long a migration may take.
	Timeout Duration `json:"timeout,omitempty"`
	// On a first install the migrations run after the services were created, and the services wait for them.
	AfterInstall *bool `json:"afterInstall,omitempty"`
}

// Cluster is where the installation runs.
type Cluster struct {
	// The folder clusters/NAME that the controller is pointed at; default: the environment's name.
	Name Name `json:"name,omitempty"`
	// The Kubernetes version, such as "1.33".
	KubeVersion KubeVersion `json:"kubeVersion,omitempty"`
	// Extra API versions that the cluster serves.
	APIVersions []Text `json:"apiVersions,omitempty"`
	// A file that pm-gitops capabilities recorded from the cluster, relative to this file: it counts in place of kubeVersion and apiVersions.
	Capabilities string `json:"capabilities,omitempty"`
}

// Delivery says how the manifests reach the cluster.
type Delivery struct {
	// The delivery system that reconciles the manifests, such as flux or argo; --target overrides it.
	Target Text `json:"target,omitempty"`
	// The folder below the repository root that bases and overlays are written to; default prefect.
	Path Path `json:"path,omitempty"`
	Git  *Git `json:"git,omitempty"`
	Flux Flux `json:"flux,omitzero"`
	Argo Argo `json:"argo,omitzero"`
}

// Git is the repository that the manifests are committed to.
type Git struct {
	URL GitURL `json:"url"`
	// Default main.
	Branch Text `json:"branch,omitempty"`
	// The software of the forge that hosts it, for pull requests: github, gitlab or gitea (Forgejo too); default: what the URL's host and variables tell.
	Forge Forge `json:"forge,omitempty"`
}

// Flux is the Flux that reconciles the manifests.
type Flux struct {
	// The oldest Flux that the output must work with; default 2.7.
	Version FluxVersion `json:"version,omitempty"`
	// Where Flux runs; default flux-system.
	Namespace Name `json:"namespace,omitempty"`
	// The GitRepository that holds this repository; default flux-system.
	Source ObjectName `json:"source,omitempty"`
}

// Argo is the Argo CD that reconciles the manifests.
type Argo struct {
	// The oldest Argo CD that the output must work with; default 2.14.
	Version ArgoVersion `json:"version,omitempty"`
	// Where Argo CD runs; default argocd.
	Namespace   Name            `json:"namespace,omitempty"`
	Destination ArgoDestination `json:"destination,omitzero"`
	// How charts are named: helm (the classic form, default) or oci (native, from Argo CD 3.1, which can pin digests).
	Charts ArgoCharts `json:"charts,omitempty"`
	// Further kinds of cluster-wide objects that releases of your own bring.
	ClusterResources []GroupKind `json:"clusterResources,omitempty"`
}

// GroupKind is a kind of objects.
type GroupKind struct {
	// The API group; empty for the core one.
	Group string `json:"group,omitempty"`
	Kind  Text   `json:"kind"`
}

// ArgoDestination is the cluster to deploy to, by server or by name; default
// the cluster that Argo CD runs in.
type ArgoDestination struct {
	Server URL  `json:"server,omitempty"`
	Name   Text `json:"name,omitempty"`
}

// Upgrade says when upgrades are proposed and merged.
type Upgrade struct {
	// How old a version must be before it is proposed.
	MinimumAge Duration `json:"minimumAge,omitempty"`
	// Environments that must have run it before, and for how long.
	After []UpgradeAfter `json:"after,omitempty"`
	// When merging is allowed, such as "Sat 02:00-06:00 UTC".
	Window Window `json:"window,omitempty"`
	// Which pull requests merge themselves: never, or patch.
	AutoMerge AutoMerge `json:"autoMerge,omitempty"`
}

// UpgradeAfter is an environment that goes first.
type UpgradeAfter struct {
	Environment Name     `json:"environment"`
	Soak        Duration `json:"soak,omitempty"`
}

// Checks says which findings of `pm-gitops check`, and which values that look like secrets, are accepted.
type Checks struct {
	// Findings that are accepted; they are still listed, with the reason.
	Ignore []IgnoredCheck `json:"ignore,omitempty"`
}

// IgnoredCheck is findings of one check that are accepted, and why.
type IgnoredCheck struct {
	// The check, such as load-balancer: `pm-gitops check --list` lists them.
	Check CheckID `json:"check"`
	// Only findings in this release.
	Release Name `json:"release,omitempty"`
	// Only findings at this object: Kind/name, in which * stands for any characters.
	Object ObjectPattern `json:"object,omitempty"`
	// Only the finding at this field of the environment, as findings name it. For plaintext-secret it is required: validate and render accept the value too.
	Path FieldPath `json:"path,omitempty"`
	// Why they are accepted.
	Reason Reason `json:"reason"`
}

// Window is a weekly span of time such as "Sat 02:00-06:00 UTC", by the clocks of its time
// zone. The first time is part of it, the last is not. One that ends before it begins ends
// on the next day, and one that ends when it begins lasts a day. Days may go over the end
// of the week: Sat-Mon.
type Window string

var windowForm = regexp.MustCompile(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? ([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d (UTC|[A-Z]\w+(/[\w+-]+)+)$`)

// Validate wants days, hours and a time zone. Whether there is such a time zone, it does
// not know.
func (w Window) Validate() error {
	if !windowForm.MatchString(string(w)) {
		return fmt.Errorf("want days, hours and a time zone such as %q, got %s", "Sat 02:00-06:00 UTC", quoted(string(w)))
	}
	return nil
}

// Zone is the name of the time zone, such as Europe/Berlin.
func (w Window) Zone() string { return string(w[strings.LastIndex(string(w), " ")+1:]) }

// Contains reports whether a time is in a valid window, whose time zone zone is. An hour
// that the clocks of the zone show twice is in the window twice.
func (w Window) Contains(t time.Time, zone *time.Location) bool {
	days, begin, end := w.split()
	t = t.In(zone)
	minute, today := t.Hour()*60+t.Minute(), int(t.Weekday())
	yesterday := (today + 6) % 7
	if begin < end {
		return days[today] && begin <= minute && minute < end
	}
	return days[today] && begin <= minute || days[yesterday] && minute < end
}

// Opens gives the first time from t on that is in a valid window, whose time zone zone
// is: t itself, or the beginning of a minute. It is zero where there is none within
// fifteen days: two weeks in which the clocks skip the window are none.
func (w Window) Opens(t time.Time, zone *time.Location) time.Time {
	if w.Contains(t, zone) {
		return t
	}
	// Minute by minute, for clocks skip and repeat hours.
	const limit = 15 * 24 * 60
	next := t.Truncate(time.Minute)
	for range limit {
		if next = next.Add(time.Minute); w.Contains(next, zone) {
			return next
		}
	}
	return time.Time{}
}

// split gives the days on which a valid window begins, Sunday first, and the minutes of
// the day at which it begins and ends.
func (w Window) split() (days [7]bool, begin, end int) {
	names := []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	fields := strings.Fields(string(w))
	first, last, isRange := strings.Cut(fields[0], "-")
	if !isRange {
		last = first
	}
	for day := slices.Index(names, first); ; day = (day + 1) % 7 {
		days[day] = true
		if names[day] == last {
			break
		}
	}
	from, to, _ := strings.Cut(fields[1], "-")
	return days, minuteOf(from), minuteOf(to)
}

// minuteOf reads HH:MM.
func minuteOf(clock string) int {
	digit := func(i int) int { return int(clock[i] - '0') }
	return (digit(0)*10+digit(1))*60 + digit(3)*10 + digit(4)
}
