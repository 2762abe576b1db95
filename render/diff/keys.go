package diff

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// key is a field that names an item of a list, with what it means where the
// item does not say it.
type key struct {
	field string
	// otherwise is the default; optional is whether there may be no value at all.
	otherwise string
	optional  bool
}

// of is what an item says; ok is whether that can be part of a name.
func (k key) of(item map[string]any) (text string, ok bool) {
	switch v := item[k.field].(type) {
	case nil:
		return k.otherwise, k.optional || k.otherwise != ""
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case fmt.Stringer: // a secret names nothing
		return "", false
	}
	return "", false
}

// byName names items of lists that Kubernetes knows nothing of, those of
// custom resources: an item that has a name of its own is nearly always meant
// by it. Where it is not, nothing is lost: another order is a change too.
var byName = []key{{field: "name"}}

var protocol = key{field: "protocol", otherwise: "TCP"}

// listKeys is what names the items of lists, by the field that the list is in,
// the first that fits: x-kubernetes-list-map-keys, or else
// x-kubernetes-patch-merge-key, of the built-in kinds, where it is another
// field than name. A test compares it with the Kubernetes API as kustomize has
// it (https://github.com/kubernetes-sigs/kustomize/tree/kyaml/v0.21.2/kyaml/openapi/kubernetesapi).
var listKeys = map[string][][]key{
	"ports":                     {{{field: "containerPort"}, protocol}, {{field: "port"}, protocol}, {{field: "port"}}},
	"volumeMounts":              {{{field: "mountPath"}}},
	"volumeDevices":             {{{field: "devicePath"}}},
	"conditions":                {{{field: "type"}}},
	"hostAliases":               {{{field: "ip"}}},
	"ownerReferences":           {{{field: "uid"}}},
	"topologySpreadConstraints": {{{field: "topologyKey"}, {field: "whenUnsatisfiable"}}},
	"addresses":                 {{{field: "type"}}},
	"podIPs":                    {{{field: "ip"}}},
	"hostIPs":                   {{{field: "ip"}}},
	"reservedFor":               {{{field: "uid"}}},
	"resizePolicy":              {{{field: "resourceName"}}},
	"dependsOn":                 {{{field: "namespace", optional: true}, {field: "name"}}}, // Flux, as valuesFrom
	"valuesFrom":                {{{field: "kind"}, {field: "name"}, {field: "valuesKey", optional: true}, {field: "targetPath", optional: true}}},
}

// keysOf is what may name the items of a list, in the order of preference.
func keysOf(field string) [][]key {
	return append(listKeys[field][:len(listKeys[field]):len(listKeys[field])], byName)
}
