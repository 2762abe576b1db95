package draft

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/catalog"
)

// Probe holds made-up values that set all fields of an environment that a layout knows, as
// far as one environment can set them.
type Probe struct {
	About    string
	Old, New map[string]any // composed by the layouts of the two lines
	Secrets  []string       // the paths of both that hold secrets
	// IntoChart: secrets.into is chart.
	IntoChart bool
}

// secret is a made-up value of a field that refers to a Secret.
type secret string

// samples gives a value for each field that reaches the chart.
var samples = map[string]any{
	"instance.frontendUrl": "https://ui.probe.example.com",
	"instance.backendUrl":  "https://api.probe.example.com",
	"instance.name":        "probe-instance",
	"instance.ownerEmail":  "owner@probe.example.com",

	"images.server.repository": "registry.probe.example.com/a/server",
	"images.ui.repository":     "registry.probe.example.com/a/ui",
	"versions.server":          "0.0.1",
	"versions.ui":              "0.0.2",

	"auth.okta.clientID":         "probe-okta-id",
	"auth.okta.clientSecret":     secret("probe-okta-secret"),
	"auth.okta.authServerURL":    "https://okta.probe.example.com",
	"auth.okta.apiKey":           secret("probe-okta-key"),
	"auth.adfs.clientID":         "probe-adfs-id",
	"auth.adfs.clientSecret":     secret("probe-adfs-secret"),
	"auth.adfs.clientAuthority":  "adfs.probe.example.com",
	"auth.adfs.clientVerifySSL":  false,
	"auth.entra.clientID":        "probe-entra-id",
	"auth.entra.clientSecret":    secret("probe-entra-secret"),
	"auth.entra.tenantID":        "probe-entra-tenant",
	"auth.entra.clientVerifySSL": false,
	"auth.entra.loginBaseURL":    "https://login.probe.example.com/",

	"database.primary":              "primary.probe.example.com",
	"database.replica":              "replica.probe.example.com",
	"database.serviceUser.password": secret("probe-service-password"),
	"database.superUser.password":   secret("probe-super-password"),

	"redis.cache.host":       "cache.probe.example.com",
	"redis.cache.password":   secret("probe-cache-password"),
	"redis.work.host":        "work.probe.example.com",
	"redis.work.password":    secret("probe-work-password"),
	"redis.streams.host":     "streams.probe.example.com",
	"redis.streams.password": secret("probe-streams-password"),

	"ingress.className":   "probe-class",
	"ingress.name":        "probe-ingress",
	"ingress.annotations": map[string]any{"probe": "probe-annotation"},
	"ingress.tls.secret":  "probe-certificate",
}

// choices gives the texts of fields that choose among a few. The first of auth.type is that
// of the probe that also has what is rare.
var choices = map[string][]string{
	"auth.type":    {"adfs", "okta", "entra"},
	"secrets.into": {"values", "chart"},
}

// Probes gives the probes for a layout: one for each identity provider, and one for what
// conditions ask for besides.
func Probes(old, next catalog.Line) []Probe {
	layout := next.Layout
	if len(layout) == 0 {
		layout = old.Layout
	}
	var all []Probe
	add := func(about string, set map[string]any) {
		p := Probe{About: about, IntoChart: set["secrets.into"] == "chart"}
		p.Old, p.Secrets = compose(old.Layout, set)
		var more []string
		p.New, more = compose(layout, set)
		p.Secrets = slices.Compact(slices.Sorted(slices.Values(append(p.Secrets, more...))))
		all = append(all, p)
	}
	for _, kind := range choices["auth.type"] {
		add("a probe that sets all fields, with auth."+kind, fieldsWith(old.Layout, kind))
	}
	rare := fieldsWith(old.Layout, choices["auth.type"][0])
	rare["secrets.into"], rare["mesh"] = "chart", "none"
	if slices.ContainsFunc(old.Layout, func(r catalog.Rule) bool {
		return slices.ContainsFunc(r.When, func(c catalog.Condition) bool {
			return c.Field == "mesh" && c.Value == "none" || c.Field == "secrets.into" && c.Value == "chart"
		})
	}) {
		add("a probe that sets all fields, with secrets.into: chart and mesh: none", rare)
	}
	return all
}

// fieldsWith gives the fields of a layout that have a sample, for an identity provider, and
// the sections that they are in.
func fieldsWith(layout []catalog.Rule, provider string) map[string]any {
	set := map[string]any{"auth.type": provider, "secrets.into": "values", "mesh": "prefect-istiod"}
	for _, rule := range layout {
		value, known := samples[rule.Field]
		section, isAuth := strings.CutPrefix(rule.Field, "auth.")
		if !known || isAuth && !strings.HasPrefix(section, provider+".") {
			continue
		}
		set[rule.Field] = value
		for i, r := range rule.Field {
			if r == '.' {
				set[rule.Field[:i]] = true
			}
		}
	}
	return set
}

// compose gives the values of prefect-cloud that a layout makes of fields, and which of
// them are secret.
func compose(layout []catalog.Rule, set map[string]any) (values map[string]any, secrets []string) {
	values = map[string]any{}
	for _, rule := range layout {
		if !isCloud(rule) || !applies(rule, set) {
			continue
		}
		for _, path := range slices.Sorted(maps.Keys(rule.Set)) {
			put(values, path, rule.Set[path])
		}
		value, there := set[rule.Field]
		if rule.Path == "" || !there {
			continue
		}
		if hidden, isSecret := value.(secret); isSecret {
			value, secrets = string(hidden), append(secrets, string(rule.Path))
		}
		put(values, string(rule.Path), value)
	}
	return values, secrets
}

// isCloud reports whether a rule sets values of prefect-cloud: its line is drafted.
func isCloud(rule catalog.Rule) bool { return rule.Release == "" || rule.Release == release }

const release = "prefect-cloud"

func applies(rule catalog.Rule, set map[string]any) bool {
	return !slices.ContainsFunc(rule.When, func(c catalog.Condition) bool {
		value, there := set[c.Field]
		if c.Equal {
			there = there && fmt.Sprint(value) == c.Value
		}
		return there == c.Not
	})
}

// put sets a dotted path, unless a value that is no mapping is in the way.
func put(values map[string]any, path string, value any) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		inner, isMap := values[key].(map[string]any)
		if !isMap {
			if _, taken := values[key]; taken {
				return
			}
			inner = map[string]any{}
			values[key] = inner
		}
		values = inner
	}
	values[keys[len(keys)-1]] = value
}
