package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
)

// explainer finds where values come from. Its trees are those of the files,
// with further nodes for what no file of the environment says; only these are
// known by their node.
type explainer struct {
	env   Environment
	known map[*strictyaml.Value]said
}

// said is what a node of no file says, and where that comes from.
type said struct {
	value  any
	secret *SecretRef
	origin Origin
	rule   *CatalogRule
}

// explained is a leaf with where it comes from. A leaf of the environment's
// files is the field prefix.path, where there is a prefix.
func (x *explainer) explained(path, prefix string, leaf, replaced *strictyaml.Value) Explained {
	e := Explained{Path: path}
	if known, ok := x.known[leaf]; ok {
		e.Value, e.Secret, e.Origin, e.Rule = known.value, known.secret, known.origin, known.rule
	} else {
		// A text of a field may hold what no chart value may.
		value, problems := strictyaml.Plain(leaf, path)
		if e.Value = value; problems != nil {
			e.Value = leaf.Text
		}
		e.Origin = origin(FromEnvironment, leaf.Position, "")
		if prefix != "" {
			e.Origin.Field = below(prefix, path)
		}
	}
	for ; replaced != nil; replaced = replaced.Replaces {
		switch known, ok := x.known[replaced]; {
		case !ok && replaced.Position.File != "":
			e.Replaces = append(e.Replaces, origin(FromEnvironment, replaced.Position, ""))
		case ok && known.origin.File != "":
			e.Replaces = append(e.Replaces, known.origin)
		}
	}
	return e
}

func origin(from From, at Position, field string) Origin {
	return Origin{from, at.File, at.Line, at.Column, field}
}

// below is a path inside another.
func below(path, inner string) string {
	if strings.HasPrefix(inner, "[") {
		return path + inner
	}
	return path + "." + inner
}

// defaults is a tree of what the program and the catalog say where the
// environment says nothing.
func (x *explainer) defaults(p Plan) *strictyaml.Value {
	root := &strictyaml.Value{Kind: strictyaml.Mapping}
	put := func(path string, value any, from Origin) {
		node := x.node(value, func(string) said { return said{origin: from} }, "")
		root.Put(strings.Split("spec."+path, "."), node)
	}
	std := Origin{From: FromDefault}
	put("registry.source", VendorRegistry, std)
	put("secrets.from", string(p.Secrets.From), std)
	put("secrets.into", string(p.Secrets.Into), std)
	put("mesh", string(p.env.mesh()), std)
	put("cluster.name", p.Cluster, std)
	put("delivery.path", p.Path, std)
	x.deliveryDefaults(p, func(path, value string) { put("delivery."+path, value, std) })
	for _, release := range p.Releases() {
		if p.env.extra(release.Key) == nil {
			put("names."+release.Key+".release", release.Name, std)
			put("names."+release.Key+".namespace", release.Namespace, std)
		}
	}
	timeout, timeoutFrom, after, afterFrom := strings.TrimSuffix(DefaultTimeout.String(), "0s"), std, false, std
	if m := p.line.Migrations; m != nil && m.Timeout != "" {
		timeout, timeoutFrom = string(m.Timeout), origin(FromCatalog, m.TimeoutAt, "")
	}
	if m := p.line.Migrations; m != nil && m.AfterInstall != nil {
		after, afterFrom = *m.AfterInstall, origin(FromCatalog, m.AfterInstallAt, "")
	}
	put("migrations.timeout", timeout, timeoutFrom)
	put("migrations.afterInstall", after, afterFrom)
	return root
}

func (x *explainer) deliveryDefaults(p Plan, put func(path, value string)) {
	flux, argo := p.Delivery.Flux, p.Delivery.Argo
	if p.Delivery.Git != nil {
		put("git.branch", string(p.Delivery.Git.Branch))
	}
	put("flux.version", string(flux.Version))
	put("flux.namespace", string(flux.Namespace))
	put("flux.source", string(flux.Source))
	put("argo.version", string(argo.Version))
	put("argo.namespace", string(argo.Namespace))
	put("argo.charts", string(argo.Charts))
	if p.env.Spec.Delivery.Argo.Destination == (ArgoDestination{}) {
		put("argo.destination.server", string(argo.Destination.Server))
	}
}

// assigned is the node of what a rule of the catalog sets.
func (x *explainer) assigned(a assignment, line string) *strictyaml.Value {
	at := a.rule.Position
	rule := &CatalogRule{ReleaseLine: line, File: at.File, Line: at.Line, Column: at.Column}
	for _, condition := range a.rule.When {
		rule.When = append(rule.When, condition.String())
	}
	if a.rule.Field == "" {
		return x.node(a.value, func(string) said { return said{origin: origin(FromCatalog, at, ""), rule: rule} }, "")
	}
	if ref, isSecret := a.value.(SecretRef); isSecret {
		return x.secret(ref, "spec."+a.rule.Field, rule)
	}
	return x.node(a.value, func(inside string) said { return said{origin: x.fieldOrigin(a.rule.Field, inside), rule: rule} }, "")
}

// secret is the node of a chart value that comes from a Secret. Its place is
// where the Secret is named.
func (x *explainer) secret(ref SecretRef, path string, rule *CatalogRule) *strictyaml.Value {
	var at Position
	if named := x.env.source.Find(path + ".secret"); named != nil {
		at = named.Position
	}
	node := &strictyaml.Value{Tag: "!!str"}
	x.known[node] = said{secret: &ref, origin: origin(FromEnvironment, at, path), rule: rule}
	return node
}

// node is a tree of a plain value; from says where what is inside it at a path
// comes from.
func (x *explainer) node(value any, from func(inside string) said, inside string) *strictyaml.Value {
	node := &strictyaml.Value{Tag: "!!str", Text: fmt.Sprint(value)}
	switch value := value.(type) {
	case map[string]any:
		node = &strictyaml.Value{Kind: strictyaml.Mapping}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			node.Entries = append(node.Entries, strictyaml.Entry{Key: key, Value: x.node(value[key], from, strictyaml.Join(inside, key))})
		}
	case []any:
		node = &strictyaml.Value{Kind: strictyaml.Sequence}
		for i, item := range value {
			node.Items = append(node.Items, x.node(item, from, strictyaml.Index(inside, i)))
		}
	}
	what := from(inside)
	what.value = value
	if field := x.env.source.Find(what.origin.Field); what.origin.Field != "" && field != nil {
		node.Replaces = field.Replaces // of the field, in a file that is extended
	}
	x.known[node] = what
	return node
}

// fieldOrigin is where a field that a layout can copy was said: for one that
// no file has, the field that it follows from.
func (x *explainer) fieldOrigin(field, inside string) Origin {
	path := "spec." + field
	switch registry := x.env.Spec.Registry; {
	case field == "auth.type":
		path = "spec.auth." + fmt.Sprint(x.env.fields("")["auth.type"])
	case strings.HasPrefix(field, "images."):
		path = registry.decides(strings.TrimSuffix(strings.TrimPrefix(field, "images."), ".repository"))
	case inside != "":
		path = below(path, inside)
	}
	value := x.env.source.Find(path)
	switch {
	case value.IsNull():
		return Origin{From: FromDefault, Field: path}
	case value.Kind == strictyaml.Scalar:
		return origin(FromEnvironment, value.Position, path)
	default: // a section: its key, since it may be merged from several files
		return origin(FromEnvironment, x.env.source.At(path), path)
	}
}

// ValueProblem is a problem at a chart value of a release, at a path such as
// redis.cache.host. Its place is where the value, or what lies in it, was said:
// under values it is the value's own, and for one that follows from a field or
// from the catalog it is theirs, and the message names the value and the rule.
// A value that nobody said is put where it would be said. Release must be of
// the plan's own [Plan.Explain].
func (p Plan) ValueProblem(release ExplainedRelease, path, format string, args ...any) Problem {
	prefix := strictyaml.Join("spec.values", release.Release)
	if p.env.extra(release.Release) != nil {
		prefix = p.env.releasePath(release.Release) + ".values"
	}
	message := fmt.Sprintf(format, args...)
	said := slices.DeleteFunc(slices.Clone(release.Values), func(e Explained) bool { return !overlaps(e.Path, path) })
	own := func(e Explained) bool { return e.Rule == nil && e.Secret == nil && e.Origin.From == FromEnvironment }
	if len(said) == 0 || slices.ContainsFunc(said, own) {
		return p.env.problem(below(prefix, path), "%s", message)
	}
	e := said[0]
	for _, other := range said {
		if e.Origin.File == "" && other.Origin.File != "" {
			e = other
		}
	}
	at := Position{File: e.Origin.File, Line: e.Origin.Line, Column: e.Origin.Column}
	if e.Origin.File == "" { // the program's default for a field
		at = p.env.problem(e.Origin.Field, "").Position
	}
	if e.Rule != nil && e.Origin.From != FromCatalog {
		message = fmt.Sprintf("%s (this field sets %s by rule %s:%d)", message, e.Path, e.Rule.File, e.Rule.Line)
	}
	field := e.Origin.Field
	if field == "" {
		field = "layout"
	}
	return Problem{Position: at, Path: field, Message: message}
}

// overlaps reports whether one of two paths is the other or lies in it.
func overlaps(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	rest, ok := strings.CutPrefix(b, a)
	return ok && (rest == "" || a == "" || rest[0] == '.' || rest[0] == '[')
}
