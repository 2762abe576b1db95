package check

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

func valueChecks() []Check {
	return []Check{{
		ID: "random-output", Severity: finding.Warning,
		Title:  "The chart makes something else each time",
		Why:    "A template that makes random values, certificates or times renders another object on every upgrade, and for Argo CD on every comparison: passwords change under the programs that use them, pods restart, and Argo CD never is in sync.",
		Fix:    "Set the value that the chart would make up, or the name of a Secret that exists.",
		Source: "https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#random-data",
		each:   randomOutput,
	}, {
		ID: "lookup-use", Severity: finding.Info,
		Title:  "A template asks the cluster for what it has",
		Why:    "Argo CD and previews render without a cluster, where lookup finds nothing: the chart behaves as if it were installed for the first time, every time. Often that is how a password is kept, and then it is not. For Argo CD this is a warning.",
		Fix:    "Set the value that the chart looks for.",
		Source: "https://github.com/argoproj/argo-cd/issues/5202",
		each:   lookupUse,
	}, {
		ID: "null-values", Severity: finding.Info,
		Title:  "A chart sets a value of a chart in it to null",
		Why:    "What null does there differs between the releases of Helm that controllers have: it takes the inner chart's default away, or is ignored. The objects may change with the controller.",
		Fix:    "Set the value to what is meant.",
		Source: "https://argo-cd.readthedocs.io/en/stable/operator-manual/upgrading/2.14-3.0/",
		each:   nullValues,
	}, {
		ID: "tls-verification-disabled", Severity: finding.Warning,
		Title:  "Certificates are not verified",
		Why:    "A connection whose certificate nobody verifies is open to whoever is in between, passwords included. sslmode=prefer, the default of PostgreSQL's clients, even goes on without encryption.",
		Fix:    "Give the program the certificate authority instead, and use verify-full for PostgreSQL.",
		Source: "https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION",
		each:   tlsInObjects, all: tlsInEnvironment, asks: asksVerification,
	}}
}

func randomOutput(s *scope, r *release) {
	if slices.EqualFunc(r.Install.Objects, r.Again.Objects, func(a, b chart.Object) bool { return bytes.Equal(a.YAML, b.YAML) }) {
		return
	}
	again := map[occurrence]map[string]any{}
	seen := occurrences{}
	for _, made := range r.Again.Objects {
		items, err := made.Items()
		if err != nil {
			return
		}
		for _, item := range items {
			if len(item.Tree) > 0 {
				again[seen.next(item)] = item.Tree
			}
		}
	}
	for _, o := range r.objects {
		if !o.onInstall {
			continue
		}
		other, there := again[o.occurrence]
		if there {
			s.randomFields(o, other)
			continue
		}
		f := o.finding("metadata.name", "the chart makes an object of another name each time: every upgrade deletes one and makes one")
		f.Fix = "set the value that the chart makes up"
		s.add(f)
	}
}

// randomFields tells which fields of an object differ between two renderings.
func (s *scope) randomFields(o *object, other map[string]any) {
	for _, path := range differing(o.tree, other) {
		f := o.finding(path, "the chart makes another value each time: every upgrade changes it")
		if !s.byHelm() {
			f.Message = "the chart makes another value each time: Argo CD is never in sync, and each sync changes it"
		}
		if strings.Contains(strings.ToLower(path), "checksum") || strings.Contains(path, "template.metadata.annotations") {
			f.Message += ", and restarts the pods"
		}
		f.Fix = "set the value that the chart makes up, or name a Secret that exists"
		s.add(f)
	}
}

func lookupUse(s *scope, r *release) {
	seen := map[chart.Lookup]bool{}
	for _, asked := range slices.Concat(r.Install.Lookups, r.Upgrade.Lookups) {
		if asked.Namespace, asked.Name = "", ""; seen[asked] {
			continue
		}
		seen[asked] = true
		f := r.finding("the template asks the cluster for %s %s: in previews, and for Argo CD on every sync, there is none", asked.APIVersion, asked.Kind)
		if !s.byHelm() {
			f.Severity = finding.Warning
		}
		f.Source, f.Fix = asked.Template, "set the value that the template looks for"
		s.add(f)
	}
}

func nullValues(s *scope, r *release) {
	for _, path := range nulls(r.Chart.Parts(), "") {
		f := r.finding("the chart sets %s of the chart in it to null: Helm releases differ in whether that takes the default away", path)
		f.Fix = "set " + path + " to what is meant"
		s.put(&f, s.valuesField(r)+"."+path)
		s.add(f)
	}
}

// nulls is the values that a chart sets to null in the charts in it, which set
// them to something.
func nulls(part chart.Part, prefix string) []string {
	var paths []string
	for _, inner := range part.Parts {
		leaves(part.Values[inner.Key], "", func(path, _ string, value any) {
			if value == nil && path != "" && at(any(inner.Values), strings.Split(path, ".")...) != nil {
				paths = append(paths, prefix+inner.Key+"."+path)
			}
		})
		paths = append(paths, nulls(inner, prefix+inner.Key+".")...)
	}
	return paths
}

// The ways in which programs are told not to verify certificates: settings that
// switch it off, settings that leave it off, flags, and modes of PostgreSQL.
var insecure = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:^|[^a-z])(?:` +
		`((?:client)?[-_]?verify[-_]?(?:ssl|tls)|(?:ssl|tls)[-_]?verify|node_tls_reject_unauthorized|pythonhttpsverify)["']?\s*[:=]\s*["']?(?:false|0|no|none)\b` +
		`|(insecure[-_]?skip[-_]?(?:tls[-_]?)?verify|skip[-_]?tls[-_]?verify|tls[-_]?skip[-_]?verify|tls[-_]?insecure[-_]?skip[-_]?verify|git_ssl_no_verify)["']?\s*[:=]\s*["']?(?:true|1|yes)\b` +
		`|(--(?:kubelet-insecure-tls|insecure-skip-tls-verify|insecure-skip-verify|skip-tls-verify|tls-skip-verify|no-verify-ssl))(?:=true)?(?:\s|$)` +
		`|(?:pg)?sslmode["']?\s*[:=]\s*["']?([a-z0-9_-]+))`)
})

// insecurely is what a text says of certificates, empty if nothing bad.
func insecurely(content string) string {
	for _, found := range insecure().FindAllStringSubmatchIndex(content, -1) {
		part := func(i int) string {
			if found[2*i] < 0 {
				return ""
			}
			return content[found[2*i]:found[2*i+1]]
		}
		// What stands before is looked for in a few bytes: there may be many finds.
		switch before := strings.ToLower(content[max(0, found[0]+1-len("skip-")) : found[0]+1]); {
		case part(1) != "" && (strings.HasSuffix(before, "skip-") || strings.HasSuffix(before, "skip_")):
			continue // --insecure-skip-tls-verify=false
		case part(4) != "":
			after := content[found[9]:]
			if said := sslmode(strings.ToLower(part(4))); said != "" && (after == "" || strings.ContainsAny(after[:1], " \t\r\n\"'&,;})]")) {
				return said // and no expression of a program
			}
		default:
			return part(1) + part(2) + part(3)
		}
	}
	return ""
}

// misspelt is said of a mode that PostgreSQL does not have. It is not told
// itself: a Secret may hold it.
const misspelt = "sslmode"

// sslmode is what a mode of PostgreSQL says of certificates, empty if it
// verifies them.
func sslmode(mode string) string {
	switch mode {
	case "verify-ca", "verify-full", strings.ToLower(render.FillIn):
		return ""
	case "disable", "allow", "prefer", "require":
		return "sslmode=" + mode
	}
	return misspelt
}

func tlsInObjects(s *scope, r *release) {
	for _, o := range r.objects {
		if o.is("CustomResourceDefinition") {
			continue // their descriptions speak of such settings
		}
		seen, variables := map[string]bool{}, o.variables()
		leaves(o.tree, "", func(path, key string, value any) {
			if name := variables[path]; name != "" {
				key = name
			}
			said := insecurely(o.statement(path, key, value))
			if said == "" || seen[said] {
				return
			}
			seen[said] = true
			f := o.finding(path, "%s: certificates are not verified", said)
			if said == misspelt {
				f.Message = "the text is no sslmode that verifies certificates"
			}
			f.Fix = "verify certificates, with the authority that issued them"
			setting, mode, _ := strings.Cut(said, "=")
			s.putValue(&f, r, func(path string, value any) bool {
				return strings.TrimPrefix(letters(lastKey(path)), "pg") == letters(setting) && (mode == "" || strings.EqualFold(scalar(value), mode))
			})
			s.add(f)
		})
	}
}

// letters is a name as it is said, however it is written: clientVerifySSL and
// CLIENT_VERIFY_SSL are one.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// statement is a value with what it is the value of, as a setting is written.
// The value of a Secret is looked into; what is found there is a word of ours.
func (o *object) statement(path, key string, value any) string {
	content := scalar(value)
	if o.is("Secret") && strings.HasPrefix(path, "data") {
		if decoded, err := base64.StdEncoding.DecodeString(content); err == nil {
			content = string(decoded)
		}
	}
	return key + "=" + content
}

// variables is the names of environment variables, by the path of their value.
func (o *object) variables() map[string]string {
	names := map[string]string{}
	for _, p := range o.pods() {
		for _, c := range p.Containers() {
			for i, env := range list(c.Spec["env"]) {
				names[fmt.Sprintf("%s.env[%d].value", c.Path, i)] = scalar(at(env, "name"))
			}
		}
	}
	return names
}

// asksVerification reports whether a setting of that name is switched on.
func asksVerification(_ *scope, _ finding.Finding, c change) bool {
	return strings.HasSuffix(letters(lastKey(c.path)), "verifyssl") && strings.EqualFold(scalar(c.after), "true")
}

func tlsInEnvironment(s *scope) {
	for _, warning := range s.Plan.Warnings {
		if strings.HasSuffix(warning.Path, ".clientVerifySSL") {
			f := finding.Finding{Message: warning.Message}
			propose(&f, finding.Proposal{Field: warning.Path}, true, "give the program the certificate authority")
			s.put(&f, warning.Path)
			s.add(f)
		}
	}
}
