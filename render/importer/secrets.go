package importer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// hidden is a secret among the values of a release.
type hidden struct {
	release, path string
	at            render.Position
	ref           render.SecretRef
}

// at is a place among the values of a release.
type at struct{ release, path string }

// conventional is where the environments that we show have their secrets.
var conventional = map[string]render.SecretRef{
	"auth.okta.clientSecret":        {Secret: "prefect-auth", Key: "client-secret"},
	"auth.okta.apiKey":              {Secret: "prefect-auth", Key: "api-key"},
	"auth.adfs.clientSecret":        {Secret: "prefect-auth", Key: "client-secret"},
	"auth.entra.clientSecret":       {Secret: "prefect-auth", Key: "client-secret"},
	"database.serviceUser.password": {Secret: "prefect-db", Key: "service"},
	"database.superUser.password":   {Secret: "prefect-db", Key: "superuser"},
	"redis.cache.password":          {Secret: "prefect-redis", Key: "cache"},
	"redis.work.password":           {Secret: "prefect-redis", Key: "work"},
	"redis.streams.password":        {Secret: "prefect-redis", Key: "streams"},
}

// findSecrets finds every secret and gives each a reference. One that no
// reference can be given for is a problem, or a note where it is not certain.
func (d *draft) findSecrets() {
	for _, key := range slices.Sorted(maps.Keys(d.in)) {
		root := d.in[key].values
		found := map[string]plaintext.Found{}
		for _, f := range plaintext.Find(root, "") {
			found[f.Path] = f
		}
		for _, rule := range d.rules(key) {
			if v := get(root, string(rule.Path)); isSecretRef(rule.Field) && v != nil && v.Kind == strictyaml.Scalar && !v.IsNull() && v.Tag != "!!bool" && v.Text != "" {
				found[string(rule.Path)] = plaintext.Found{Position: v.Position, Path: string(rule.Path), Rule: plaintext.Rule{Certain: true}}
			}
		}
		for _, path := range slices.Sorted(maps.Keys(found)) {
			if f := found[path]; f.Rule.Certain || render.ValuePath(path).Validate() == nil {
				d.hide(key, root, f)
			} else {
				d.note(f.Position, path, "may be a secret, and no chart value in a list, or below a key with a dot, can come from a Secret: if it is one, let the chart read it from one (existingSecret, or valueFrom of an environment variable)")
			}
		}
	}
}

func (d *draft) hide(release string, root *value, found plaintext.Found) {
	switch {
	case strings.Contains(found.Path, "["):
		d.problem(found.Position, found.Path, "%s, and no chart value in a list, or below a key with a dot, can come from a Secret: let the chart read it from one (existingSecret, or valueFrom of an environment variable), and import what is left", found.Rule.Why)
	case render.ValuePath(found.Path).Validate() != nil:
		d.problem(found.Position, found.Path, "%s, and no Secret can be named for a key like this one: take it out, and import what is left", found.Rule.Why)
	case get(root, found.Path).Kind == strictyaml.Sequence:
		d.problem(found.Position, found.Path, "%s, and a whole list cannot come from a Secret: let the chart read it from one, and import what is left", found.Rule.Why)
	default:
		h := hidden{release, found.Path, found.Position, d.reference(release, found.Path)}
		d.hidden, d.hiddenAt[at{release, found.Path}] = append(d.hidden, h), h
	}
}

// reference is the Secret and the key for a chart value: as the field that
// sets it has them by convention, or from the value's own path, smtp.password
// to prefect-smtp/password. Two values get two keys.
func (d *draft) reference(release, path string) render.SecretRef {
	ref := render.SecretRef{}
	for _, rule := range d.rules(release) {
		if string(rule.Path) == path {
			ref = conventional[rule.Field]
		}
	}
	if ref.Secret == "" {
		steps := strings.Split(strings.TrimPrefix(path, "global."), ".")
		name := kebab(steps[0])
		if len(steps) == 1 {
			name = "values"
		} else {
			steps = steps[1:]
		}
		ref = render.SecretRef{Secret: render.SecretName("prefect-" + name), Key: render.SecretKey(keyed(steps))}
	}
	for base := ref; d.taken[ref] > 0; {
		d.taken[base]++
		ref.Key = render.SecretKey(fmt.Sprintf("%s-%d", base.Key, d.taken[base]))
	}
	d.taken[ref]++
	return ref
}

func keyed(steps []string) string {
	for i := range steps {
		steps[i] = kebab(steps[i])
	}
	key := strings.Join(steps, ".")
	if render.SecretKey(key).Validate() != nil {
		return "value"
	}
	return key
}

var (
	humps   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	unnamed = regexp.MustCompile(`[^a-z0-9]+`)
)

// kebab is clientSecret as client-secret, fit for the name of a Secret.
func kebab(key string) string {
	name := strings.Trim(unnamed.ReplaceAllString(strings.ToLower(humps.ReplaceAllString(key, "$1-$2")), "-"), "-")
	if len(name) > 60 {
		name = strings.Trim(name[:60], "-")
	}
	if name == "" {
		return "value"
	}
	return name
}

// secretAt is the secret at a path, if one is there.
func (d *draft) secretAt(release, path string) (hidden, bool) {
	h, ok := d.hiddenAt[at{release, path}]
	return h, ok
}
