package render

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/apis"
	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Position is a place in an input file.
type Position = strictyaml.Position

// Problem is one thing that is wrong with an input, or suspicious.
type Problem = strictyaml.Problem

// Problems is everything that is wrong with an input. Match it with [errors.As].
type Problems = strictyaml.Problems

// ReadFile gives the content of a file that an environment names. The name is
// relative to where the environment's own name is, with slashes; the function
// decides what may be read.
type ReadFile func(name string) ([]byte, error)

// Parse reads an environment file, or a file of defaults. The name is what
// problems show; it is not opened. Files that the environment extends, and
// those of public keys, are asked of read. The error is every problem at once, as [Problems]; none
// repeats a value from a place where a secret belongs.
func Parse(name string, data []byte, read ReadFile) (Environment, error) {
	root, problems := load(name, data, read)
	if problems != nil {
		return Environment{}, problems.Err()
	}
	env, problems := decode(root)
	if !env.IsDefaults() {
		problems = problems.With(env.readKeys(read))
	}
	return env, problems.Err()
}

// decode fills an environment from its tree, and checks it.
func decode(root *strictyaml.Value) (Environment, Problems) {
	env, mode := Environment{source: root}, strictyaml.Complete
	if root.Get("kind").Text == "EnvironmentDefaults" {
		mode = strictyaml.Partial
	}
	var problems Problems
	if problems = strictyaml.Decode(root, &env, mode); mode == strictyaml.Complete {
		problems = problems.With(env.check())
	}
	return env, problems.With(env.plaintext(true))
}

// Setting is a field of an environment, and what it shall be.
type Setting struct {
	Field string // such as spec.migrations.afterInstall
	// Value is plain: what JSON knows. Nil takes the field out.
	Value any
}

// With gives the environment as [Parse] would, if its file said so much more. The
// error is every problem that there would be, as [Problems].
func (e Environment) With(settings ...Setting) (Environment, error) {
	root := e.source
	for _, one := range settings {
		var value *strictyaml.Value
		if one.Value != nil {
			value = strictyaml.Of(one.Value)
		}
		root = root.With(one.Field, value)
	}
	changed, problems := decode(root)
	changed.recorded, changed.policies = e.recorded, e.policies
	changed.lock, changed.unpinned = e.lock, e.unpinned
	return changed, problems.Err()
}

// IsDefaults reports whether the file is there to be extended, not rendered.
func (e Environment) IsDefaults() bool { return e.Kind == "EnvironmentDefaults" }

// CatalogFile is the catalog that the environment names, relative to where
// the environment's own name is; empty when it names none.
func (e Environment) CatalogFile() string {
	if e.Spec.Catalog == "" {
		return ""
	}
	return beside(e.source.At("spec.catalog").File, e.Spec.Catalog)
}

// CapabilitiesFile is the recorded file that the environment names, relative to
// where the environment's own name is; empty when it names none.
func (e Environment) CapabilitiesFile() string {
	if e.Spec.Cluster.Capabilities == "" {
		return ""
	}
	return beside(e.source.At("spec.cluster.capabilities").File, e.Spec.Cluster.Capabilities)
}

// WithCapabilities gives the environment with what its cluster said of itself:
// it counts in place of the version and API versions that the file names.
func (e Environment) WithCapabilities(recorded apis.Recorded) Environment {
	e.recorded = &recorded
	return e
}

// beside is a path relative to a file, relative to where that file's name is.
func beside(file, name string) string {
	return path.Join(path.Dir(strings.ReplaceAll(file, `\`, "/")), name)
}

// Layer is an environment file, or one that it extends, as it is written.
type Layer struct {
	Name string
	Data []byte
	Root *strictyaml.Value
}

// Layers reads an environment file and the files that it extends, the file itself
// first. They need not be valid, but for what says which files they are. The error is
// [Problems].
func Layers(name string, data []byte, read ReadFile) ([]Layer, error) {
	layers, problems := layersOf(name, data, read)
	return layers, problems.Err()
}

// load reads a file and lays it over what it extends.
func load(name string, data []byte, read ReadFile) (*strictyaml.Value, Problems) {
	layers, problems := layersOf(name, data, read)
	if problems != nil {
		return nil, problems
	}
	var root *strictyaml.Value
	for i, layer := range slices.Backward(layers) {
		if i > 0 {
			layer.Root.Entries = slices.DeleteFunc(layer.Root.Entries, func(e strictyaml.Entry) bool { return e.Key == "metadata" })
		}
		root = strictyaml.Merge(root, layer.Root)
	}
	return root, nil
}

// layersOf reads a file and those that it extends.
func layersOf(name string, data []byte, read ReadFile) (layers []Layer, problems Problems) {
	var via []string // the files that led here
	for {
		root, problems := strictyaml.Load(name, data)
		if problems != nil {
			return nil, problems
		}
		if problems = checkHead(root, via); problems != nil {
			return nil, problems
		}
		layers, via = append(layers, Layer{name, data, root}), append(via, name)
		extends := root.Get("extends")
		if extends.IsNull() {
			return layers, nil
		}
		if name, data, problems = readExtended(extends, via, read); problems != nil {
			return nil, problems
		}
	}
}

// readExtended reads the file that the last one of those in via extends.
func readExtended(extends *strictyaml.Value, via []string, read ReadFile) (name string, data []byte, problems Problems) {
	at := func(format string, args ...any) Problems {
		return Problems{{Position: extends.Position, Path: "extends", Message: fmt.Sprintf(format, args...)}}
	}
	if extends.Kind != strictyaml.Scalar || extends.Text == "" || path.IsAbs(extends.Text) {
		return "", nil, at("want the path of a file of kind EnvironmentDefaults, relative to this one")
	}
	if strings.Contains(extends.Text, "://") { // it may have a login
		return "", nil, at("want the path of a file in this repository, relative to this one, not a URL")
	}
	name = beside(via[len(via)-1], extends.Text)
	if slices.Contains(via, name) {
		return "", nil, at("files extend each other: %s", strings.Join(append(via, name), " -> "))
	}
	data, err := read(name)
	if err != nil {
		return "", nil, at("%s", err)
	}
	return name, data, nil
}

// checkHead says early, and alone, that a file is something else altogether.
func checkHead(root *strictyaml.Value, via []string) Problems {
	if root.Kind != strictyaml.Mapping {
		return Problems{{Position: root.Position, Message: "want an environment file, a mapping that begins with apiVersion: pm-gitops/v1, got " + strictyaml.Describe(root)}}
	}
	if !slices.ContainsFunc([]string{"apiVersion", "kind", "metadata", "spec"}, func(key string) bool { return root.Get(key) != nil }) {
		return Problems{{Position: root.Position, Message: "this is no environment file: it has no apiVersion, kind, metadata or spec; pm-gitops init --from makes one of chart values"}}
	}
	want := EnvironmentKind("").words()
	if len(via) > 0 {
		want = []string{"EnvironmentDefaults"}
	}
	var problems Problems
	check := func(key string, want []string) {
		value := root.Get(key)
		switch {
		case value.IsNull():
			problems = append(problems, Problem{Position: root.Position, Path: key, Message: "the field is missing: want " + text.OneOf(want)})
		case value.Kind != strictyaml.Scalar || !slices.Contains(want, value.Text):
			problems = append(problems, Problem{Position: value.Position, Path: key, Message: fmt.Sprintf("want %s, got %s", text.OneOf(want), text.Quoted(value.Text))})
		}
	}
	check("apiVersion", APIVersion("").words())
	check("kind", want)
	return problems
}
