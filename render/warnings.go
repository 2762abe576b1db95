package render

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// Warnings is what is allowed and yet most likely not meant, or not for
// production.
func (e Environment) Warnings() Problems {
	var warnings Problems
	warn := func(path, format string, args ...any) {
		warnings = append(warnings, e.problem(path, format, args...))
	}
	if e.Spec.Database == nil {
		warn("spec.database", "the chart runs an embedded database: never for production")
	}
	if cluster := e.Spec.Cluster; e.recorded != nil && cluster.KubeVersion != "" && apis.Minor(string(cluster.KubeVersion)) != apis.Minor(e.recorded.KubeVersion) {
		warn("spec.cluster.kubeVersion", "the recorded file %s says %s, and that counts: leave the version out, or record the file again", cluster.Capabilities, e.recorded.KubeVersion)
	}
	if e.Spec.Redis == nil {
		warn("spec.redis", "the chart runs an embedded Redis: never for production")
	}
	if adfs := e.Spec.Auth.ADFS; adfs != nil {
		if adfs.ClientAuthority.bare() {
			warn("spec.auth.adfs.clientAuthority", "a bare host, as in the vendor's guide; its reference has an address: https://%s", adfs.ClientAuthority)
		}
		if off(adfs.ClientVerifySSL) {
			warn("spec.auth.adfs.clientVerifySSL", "certificates of the identity provider are not verified")
		}
	}
	if entra := e.Spec.Auth.Entra; entra != nil && off(entra.ClientVerifySSL) {
		warn("spec.auth.entra.clientVerifySSL", "certificates of the identity provider are not verified")
	}
	if registry := e.Spec.Registry; registry.Mirror != "" && string(registry.Mirror) == registry.source() {
		warn("spec.registry.mirror", "the mirror is spec.registry.source itself: pm-gitops mirror would copy images and charts onto themselves")
	}
	for i, release := range e.Spec.Releases {
		repository := strings.TrimPrefix(string(release.Chart), "oci://")
		located := e.Spec.Registry.locate(repository)
		if _, err := ref.ParseImage(located + ":1"); err != nil && located != repository {
			host, _, _ := strings.Cut(repository, "/")
			warn(strictyaml.Join(strictyaml.Index("spec.releases", i), "chart"), "it would be pulled from %s, which is no reference: want another place for %s in spec.registry.map", located, host)
		}
	}
	for i, rule := range e.Spec.Verify {
		if origin, _ := (Plan{env: e}).Original(string(rule.Match)); origin != string(rule.Match) {
			warn(strictyaml.Join(strictyaml.Index("spec.verify", i), "match"), "%s is a place of the mirror, and rules name where images and charts come from: this rule verifies nothing; want %s", rule.Match, origin)
		}
	}
	return append(append(warnings, e.placeholders()...), e.plaintext(false)...)
}

func off(s *Switch) bool { return s != nil && s.Value == false }

// starters are the addresses that `pm-gitops init` writes, by their fields.
var starters = []struct{ path, value string }{
	{"instance.frontendUrl", "https://prefect-ui.example.com"},
	{"instance.backendUrl", "https://prefect-api.example.com"},
	{"instance.ownerEmail", "owner@example.com"},
	{"auth.okta.authServerURL", "https://example.okta.com/oauth2/default"},
	{"database.primary", "postgres.example.com"},
	{"database.replica", "postgres-replica.example.com"},
	{"redis.cache.host", "redis-cache.example.com"},
	{"redis.work.host", "redis-work.example.com"},
	{"redis.streams.host", "redis-streams.example.com"},
	{"delivery.git.url", "https://git.example.com/platform/fleet.git"},
}

// placeholders finds what is still as `pm-gitops init` wrote it.
func (e Environment) placeholders() Problems {
	var left []string
	for _, one := range starters {
		if said := e.source.Find("spec." + one.path); said != nil && said.Text == one.value {
			left = append(left, one.path)
		}
	}
	if left == nil {
		return nil
	}
	return Problems{e.problem("spec."+left[0], "still as pm-gitops init wrote it: put your own in the place of %s", strings.Join(left, ", "))}
}

// The forms of the tags that the vendor's guide shows.
var (
	serverTag = regexp.MustCompile(`^(\d{4})\.(\d{1,2})\.(\d{8})\d{4}$`)
	uiTag     = regexp.MustCompile(`^\d{4}\.\d{3,4}\.\d{5,6}$`)
)

// IsServer reports whether a tag has the form of the server's in the vendor's guide: a
// release line and a time stamp of twelve digits.
func (t Tag) IsServer() bool { return serverTag.MatchString(string(t)) }

// IsUI reports whether a tag has the form of the ui's in the vendor's guide: a year, a
// day of it and a time, with or without zeros before them.
func (t Tag) IsUI() bool { return uiTag.MatchString(string(t)) }

// doubtVersions finds versions that seem not to belong together, where the catalog
// does not say so: what is wrong with their form, and what the form of the vendor's
// samples lets one guess. A guess is called one.
func (e Environment) doubtVersions(cat catalog.Catalog, line catalog.Line) Problems {
	var found Problems
	versions := e.Spec.Versions
	doubt := func(field, format string, args ...any) {
		found = append(found, e.problem("spec.versions."+field, format, args...))
	}
	for _, one := range []struct {
		field   string
		version ChartVersion
	}{{"prefectCloud", versions.PrefectCloud}, {"prefectIstiod", versions.PrefectIstiod}} {
		if rest, has := strings.CutPrefix(one.version.Version(), "v"); has {
			doubt(one.field, "the vendor's chart versions have no v before them: want %s", rest)
		}
	}
	if istiod := versions.PrefectIstiod.Version(); istiod != "" && line.Charts[PrefectIstiod] == "" && minorOf(istiod) != minorOf(versions.PrefectCloud.Version()) {
		doubt("prefectIstiod", "%s is of another line than prefect-cloud %s: the vendor's guide pulls both charts in one version", istiod, versions.PrefectCloud.Version())
	}
	server := serverTag.FindStringSubmatch(string(versions.Server))
	switch {
	case versions.Server.IsUI() && versions.UI.IsServer():
		doubt("server", "this has the form of the ui's tags in the vendor's guide, and ui that of the server's: are they swapped?")
	case versions.Server.IsUI():
		doubt("server", "this has the form of the ui's tags in the vendor's guide")
	case versions.UI.IsServer():
		doubt("ui", "this has the form of the server's tags in the vendor's guide")
	case server != nil && len(line.Server) == 0:
		found = append(found, e.doubtServer(cat, line, server)...)
	}
	return found.Sorted()
}

// doubtServer judges a server's tag by its parts: year, month and the day on which it
// was built.
func (e Environment) doubtServer(cat catalog.Catalog, line catalog.Line, tag []string) Problems {
	const guess = " (a guess, by the form of the tag)"
	released, err := time.Parse("2006-01", fmt.Sprintf("%.7s", line.Released))
	built, noDate := time.Parse("20060102", tag[3])
	if err == nil && noDate == nil && built.AddDate(1, 0, 0).Before(released) {
		return Problems{e.problem("spec.versions.server", "built on %s, more than a year before line %q was released"+guess, built.Format("2006-01-02"), line.Name)}
	}
	month := fmt.Sprintf("%s-%02s", tag[1], tag[2])
	for _, other := range cat.Lines {
		if other.Name != line.Name && strings.HasPrefix(other.Released, month) && !strings.HasPrefix(line.Released, month) {
			return Problems{e.problem("spec.versions.server", "this seems to be of line %q, and prefectCloud is of line %q"+guess, other.Name, line.Name)}
		}
	}
	return nil
}

// minorOf gives MAJOR.MINOR of a version.
func minorOf(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
