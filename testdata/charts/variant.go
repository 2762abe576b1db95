package charts

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Variant is prefect-cloud 1.3.900 with other names and values in it, which
// the seed chooses: what is tuned to the names of the stand-in finds nothing
// here. With silent it is 1.3.901, without schema and guards.
//
// Names says what is called how: dotted values, services and objects of the
// original to those of the variant.
func Variant(seed uint64, silent bool) (files map[string][]byte, names map[string]string, err error) {
	version := "1.3.900"
	if silent {
		version = "1.3.901"
	}
	if files, err = Files(Cloud, version); err != nil {
		return nil, nil, err
	}
	chosen := choose(seed)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := string(files[name])
		for _, r := range renames {
			text = r.in(text, chosen)
		}
		files[name] = []byte(text)
	}
	names = map[string]string{}
	for old, form := range named {
		names[old] = expand(form, chosen)
	}
	return files, names, nil
}

// words are in no chart, so that a name made of them collides with nothing.
var words = strings.Fields("amber birch cedar delta ember fjord glade heron indigo juniper koala lotus maple nectar onyx pebble quartz raven sable topaz umber violet willow zephyr")

// choose is the variant's own words and numbers, by name.
func choose(seed uint64) map[string]string {
	random := rand.New(rand.NewPCG(seed, 900))
	chosen := map[string]string{}
	order := random.Perm(len(words))
	for i, name := range []string{"service", "admin", "ui", "providers", "key", "role", "on", "secrets", "make", "hooks", "archiver", "reaper", "job"} {
		chosen[name] = words[order[i]]
	}
	pick := func(choices ...string) string { return choices[random.IntN(len(choices))] }
	chosen["sslmode"] = pick("verify-ca", "verify-full")
	chosen["port"] = strconv.Itoa(8081 + random.IntN(900))
	chosen["replicas"] = strconv.Itoa(3 + random.IntN(4))
	chosen["postgres"] = pick("17.1", "17.4", "18.0", "18.1")
	chosen["tag"] = fmt.Sprintf("2026.1.2026%02d%02d%02d%02d", 1+random.IntN(3), 1+random.IntN(28), random.IntN(24), random.IntN(60))
	return chosen
}

// named is the original's names, and the form of the variant's.
var named = map[string]string{
	"global.authProvider.providers":   "global.authProvider.{providers}Providers",
	"global.encryptionKeySecret.name": "global.{key}KeySecret.name",
	"secrets.create":                  "{secrets}.{make}",
	"db.serviceUser":                  "db.{service}User",
	"db.adminUser":                    "db.{admin}User",
	"db.embedded.enabled":             "db.embedded.{on}",
	"redis.embedded.enabled":          "redis.embedded.{on}",
	"redis.leases":                    "redis.{role}",
	"ui.web":                          "ui.{ui}",
	"webhooks":                        "{hooks}",
	"event-archiver":                  "{archiver}-archiver",
	"lease-reaper":                    "{reaper}-loop",
	"nebula-db-migrations":            "nebula-{job}-migrations",
	"orion-db-migrations":             "orion-{job}-migrations",
	"events-db-migrations":            "events-{job}-migrations",
	"db.sslmode=require":              "{sslmode}",
	"istio.gateway.service.port=8080": "{port}",
	"ui.web.replicas=3":               "{replicas}",
	"db.embedded.image.tag=17.5":      "{postgres}",
	"global.backend.app.image.tag=2026.1.202601010000": "{tag}",
}

// between is what stands between a key and the key below it: a dot in a
// template, an indent in the values, "properties" in the schema.
const between = `[^\w-]+(?:(?:type[^\w-]+object[^\w-]+)?(?:additionalProperties[^\w-]+false[^\w-]+)?properties[^\w-]+)?`

type rename struct {
	pattern *regexp.Regexp
	form    string // $1 and so on are what the pattern found
}

func (r rename) in(text string, chosen map[string]string) string {
	return r.pattern.ReplaceAllString(text, expand(r.form, chosen))
}

var renames = []rename{
	{regexp.MustCompile(`\bproviders(": \{"type|: \[\]|\b, which)`), "{providers}Providers$1"},
	{regexp.MustCompile(`(\bauthProvider` + between + `)providers\b`), "${1}{providers}Providers"},
	{regexp.MustCompile(`("properties": \{")providers\b`), "${1}{providers}Providers"},
	{regexp.MustCompile(`\bencryptionKeySecret\b`), "{key}KeySecret"},
	{regexp.MustCompile(`(^|[^\w-])secrets(` + between + `)create\b`), "${1}{secrets}${2}{make}"},
	{regexp.MustCompile(`\bserviceUser\b`), "{service}User"},
	{regexp.MustCompile(`\badminUser\b`), "{admin}User"},
	{regexp.MustCompile(`(\bembedded` + between + `)enabled\b`), "${1}{on}"},
	{regexp.MustCompile(`\bleases\b`), "{role}"},
	{regexp.MustCompile(`(\bui` + between + `)web\b`), "${1}{ui}"},
	{regexp.MustCompile(`\bwebhooks\b`), "{hooks}"},
	{regexp.MustCompile(`\bevent-archiver\b`), "{archiver}-archiver"},
	{regexp.MustCompile(`\blease-reaper\b`), "{reaper}-loop"},
	{regexp.MustCompile(`\b(nebula|orion|events)-db-migrations\b`), "$1-{job}-migrations"},
	{regexp.MustCompile(`(\bsslmode: )require\b`), "${1}{sslmode}"},
	{regexp.MustCompile(`(service: \{type: ClusterIP, port: )8080\b`), "${1}{port}"},
	{regexp.MustCompile(`(\n    replicas: )3\b`), "${1}{replicas}"},
	{regexp.MustCompile(`\b17\.5\b`), "{postgres}"},
	{regexp.MustCompile(`\b2026\.1\.202601010000\b`), "{tag}"},
}

// expand puts the chosen words into a form.
func expand(form string, chosen map[string]string) string {
	for name, word := range chosen {
		form = strings.ReplaceAll(form, "{"+name+"}", word)
	}
	return form
}
