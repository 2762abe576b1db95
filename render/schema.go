package render

import (
	_ "embed" // the source of this package's types, whose comments describe fields
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/verify"
)

//go:embed environment.go
var environmentSource string

//go:embed environment_delivery.go
var deliverySource string

//go:embed unions.go
var unionsSource string

// Schema is the JSON Schema (draft 2020-12) of an environment file, made from
// the Go types that Parse fills, so that the two cannot differ. A file that
// extends another, and one of defaults, may leave required fields out.
func Schema() *jsonschema.Schema {
	docs := comments(environmentSource, deliverySource, unionsSource, verify.Source())
	r := jsonschema.Reflector{
		Anonymous: true,
		Mapper:    mapped,
		LookupComment: func(t reflect.Type, field string) string {
			return docs[strings.TrimSuffix(t.Name()+"."+field, ".")]
		},
	}
	schema := r.Reflect(&Environment{})
	schema.ID = "https://pm-gitops.github.io/schema/environment-v1.json"
	schema.Title = "pm-gitops environment"
	partial := r.Reflect(&Environment{}).Definitions
	for name, definition := range partial {
		definition.Required = nil
		repoint(definition)
		schema.Definitions["Partial"+name] = definition
	}
	partial["Environment"].Required = []string{"apiVersion", "kind"}
	schema.Ref = ""
	schema.If = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Required: []string{"extends"}},
		object("kind", &jsonschema.Schema{Const: "EnvironmentDefaults"}),
	}}
	schema.Then = &jsonschema.Schema{Ref: "#/$defs/PartialEnvironment"}
	schema.Else = &jsonschema.Schema{Ref: "#/$defs/Environment"}
	return schema
}

// object is a mapping that must have one key.
func object(name string, value *jsonschema.Schema) *jsonschema.Schema {
	properties := jsonschema.NewProperties()
	properties.Set(name, value)
	return &jsonschema.Schema{Type: "object", Properties: properties, Required: []string{name}}
}

// repoint makes a definition refer to definitions that require nothing.
func repoint(schema *jsonschema.Schema) {
	if schema == nil {
		return
	}
	schema.Ref = strings.Replace(schema.Ref, "#/$defs/", "#/$defs/Partial", 1)
	repoint(schema.Items)
	repoint(schema.AdditionalProperties)
	if schema.Properties == nil {
		return
	}
	for pair := schema.Properties.Oldest(); pair != nil; pair = pair.Next() {
		repoint(pair.Value)
	}
}

// comments is the doc comments of types and fields: "Spec" and "Spec.Auth".
func comments(sources ...string) map[string]string {
	docs := map[string]string{}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments)
		if err != nil {
			continue // a program that compiled has no such source
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				for _, spec := range n.Specs {
					if t, ok := spec.(*ast.TypeSpec); ok {
						typeComments(t, n.Doc, docs)
					}
				}
			}
			return true
		})
	}
	return docs
}

func typeComments(t *ast.TypeSpec, doc *ast.CommentGroup, docs map[string]string) {
	docs[t.Name.Name] = sentence(doc)
	structure, ok := t.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range structure.Fields.List {
		for _, name := range field.Names {
			docs[t.Name.Name+"."+name.Name] = sentence(field.Doc)
		}
	}
}

func sentence(doc *ast.CommentGroup) string {
	return strings.Join(strings.Fields(doc.Text()), " ")
}

// mapped is the schema of the types that read themselves or have a form.
func mapped(t reflect.Type) *jsonschema.Schema {
	if w, ok := reflect.Zero(t).Interface().(interface{ words() []string }); ok {
		schema := &jsonschema.Schema{Type: "string"}
		for _, word := range w.words() {
			schema.Enum = append(schema.Enum, word)
		}
		return schema
	}
	if pattern, ok := forms()[t]; ok {
		return &jsonschema.Schema{Type: "string", Pattern: pattern}
	}
	switch t {
	case reflect.TypeFor[Switch]():
		return &jsonschema.Schema{Enum: []any{true, false, ""}}
	case reflect.TypeFor[Values]():
		return &jsonschema.Schema{Type: "object", Description: "Chart values. No secrets: those go under secretValues."}
	case reflect.TypeFor[Mesh]():
		return meshSchema()
	}
	return nil
}

func meshSchema() *jsonschema.Schema {
	revision := object("revision", mapped(reflect.TypeFor[Name]()))
	existing := object("existing", revision)
	revision.AdditionalProperties, existing.AdditionalProperties = jsonschema.FalseSchema, jsonschema.FalseSchema
	modes := &jsonschema.Schema{Type: "string", Enum: []any{string(MeshPrefectIstiod), string(MeshExisting), string(MeshNone)}}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{modes, existing}}
}

// forms is the forms of texts as far as a regular expression can say them;
// Validate says the rest.
func forms() map[reflect.Type]string {
	const label, subdomain = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, `^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`
	return map[reflect.Type]string{
		reflect.TypeFor[Text]():          `^.`,
		reflect.TypeFor[Name]():          label,
		reflect.TypeFor[ObjectName]():    subdomain,
		reflect.TypeFor[SecretName]():    subdomain,
		reflect.TypeFor[ReleaseName]():   `^[a-z0-9]([-a-z0-9.]{0,51}[a-z0-9])?$`,
		reflect.TypeFor[SecretKey]():     `^[-._a-zA-Z0-9]+$`,
		reflect.TypeFor[URL]():           `^https?://[^@?#]+$`,
		reflect.TypeFor[Authority]():     `^(https?://)?[^@?#/]+(/[^@?#]*)?$`,
		reflect.TypeFor[GitURL]():        `^((https?|ssh|file)://|[\w.-]+@[\w.-]+:).+$`,
		reflect.TypeFor[Host]():          `^[a-zA-Z0-9.:-]+$`,
		reflect.TypeFor[Email]():         `^[^@\s]+@[^@\s]+$`,
		reflect.TypeFor[Repository]():    ref.FolderPattern,
		reflect.TypeFor[ChartURL]():      ref.ChartPattern,
		reflect.TypeFor[ChartVersion]():  `^v?\d+\.\d+\.\d+[-+.0-9A-Za-z]*(@` + ref.ChartDigest + `)?$`,
		reflect.TypeFor[Tag]():           ref.TagPattern,
		reflect.TypeFor[KubeVersion]():   `^v?\d+\.\d+`,
		reflect.TypeFor[Duration]():      durationForm.String(),
		reflect.TypeFor[Path]():          pathForm.String(),
		reflect.TypeFor[ValuePath]():     `^[^.\s\[\]$"']+(\.[^.\s\[\]$"']+)*$`,
		reflect.TypeFor[Window]():        windowForm.String(),
		reflect.TypeFor[Reason]():        `\S`,
		reflect.TypeFor[ObjectPattern](): objectPatternForm.String(),
		reflect.TypeFor[FieldPath]():     fieldPathForm.String(),

		reflect.TypeFor[verify.Place]():     verify.PlacePattern,
		reflect.TypeFor[verify.KeySource](): verify.KeySourcePattern,
		reflect.TypeFor[verify.Issuer]():    verify.IssuerPattern,
		reflect.TypeFor[verify.Subject]():   verify.SubjectPattern,
	}
}
