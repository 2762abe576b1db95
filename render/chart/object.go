package chart

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// exact keeps whole numbers that no float has.
func exact(d *json.Decoder) *json.Decoder {
	d.UseNumber()
	return d
}

// Tree is the object as JSON knows it.
func (o Object) Tree() (map[string]any, error) {
	var tree map[string]any
	if err := yaml.Unmarshal(o.YAML, &tree, exact); err != nil {
		return nil, fmt.Errorf("YAML parse error on %s: %w", o.Source, err)
	}
	return tree, nil
}

// write replaces the object's YAML.
func (o *Object) write(tree map[string]any) error {
	data, err := yaml.Marshal(tree)
	if err != nil {
		return fmt.Errorf("write %s %s: %w", o.Kind, o.Name, err)
	}
	o.YAML = []byte(strings.TrimSuffix(string(data), "\n"))
	return nil
}

// label gives the objects the labels of what they come from. Like every
// document that goes through a post-renderer, they lose their comments and the
// order of their keys, and the items of lists become objects.
func (o *Output) label(in Input, known map[string][]Object) error {
	group := in.As.OriginGroup
	if group == "" || in.OriginName == "" {
		return nil
	}
	labels := map[string]any{group + "/name": in.OriginName, group + "/namespace": in.OriginNamespace}
	id := fmt.Sprintf("%q\n", labels)
	var labelled []Object
	for _, object := range o.Objects {
		if object.Hook != nil && !in.As.OriginOnHooks {
			labelled = append(labelled, object)
			continue
		}
		text := id + string(object.YAML)
		made, done := known[text]
		if !done {
			var err error
			if made, err = object.withLabels(labels); err != nil {
				return err
			}
			if known != nil {
				known[text] = made
			}
		}
		for _, one := range made {
			one.Source, one.CRD, one.Hook = object.Source, object.CRD, object.Hook
			labelled = append(labelled, one)
		}
	}
	o.Objects = labelled
	return nil
}

// withLabels gives an object labels, and takes lists apart.
func (o Object) withLabels(labels map[string]any) ([]Object, error) {
	tree, err := o.Tree()
	if err != nil {
		return nil, err
	}
	var all []Object
	for _, item := range items(o, tree) {
		setLabels(item.tree, labels)
		if err := item.write(item.tree); err != nil {
			return nil, err
		}
		all = append(all, item.Object)
	}
	return all, nil
}

// parsed is an object with its tree.
type parsed struct {
	Object
	tree map[string]any
}

// items is the objects of a list, or the object itself. A document without a
// kind is none: kustomize leaves it out, and a cluster takes none.
func items(o Object, tree map[string]any) []parsed {
	list, isList := tree["items"].([]any)
	if !strings.HasSuffix(o.Kind, "List") || !isList {
		if len(tree) == 0 {
			return nil
		}
		return []parsed{{o, tree}}
	}
	var all []parsed
	for _, item := range list {
		below, ok := item.(map[string]any)
		if !ok {
			continue
		}
		one := o
		one.APIVersion, _ = below["apiVersion"].(string)
		one.Kind, _ = below["kind"].(string)
		metadata, _ := below["metadata"].(map[string]any)
		one.Name, _ = metadata["name"].(string)
		one.Namespace, _ = metadata["namespace"].(string)
		all = append(all, parsed{one, below})
	}
	return all
}

func setLabels(tree, labels map[string]any) {
	metadata, ok := tree["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		tree["metadata"] = metadata
	}
	own, ok := metadata["labels"].(map[string]any)
	if !ok {
		own = map[string]any{}
		metadata["labels"] = own
	}
	for key, value := range labels {
		own[key] = value
	}
}

// Redacted is the output without what Secrets hold: how long each value is
// stands in its place. Only Secrets are looked at, alone or in a list.
func (o Output) Redacted() (Output, error) {
	redacted := o
	redacted.Objects = slices.Clone(o.Objects)
	redacted.Files = slices.Clone(o.Files)
	for i := range redacted.Objects {
		if _, err := redacted.Objects[i].redact(); err != nil {
			return Output{}, err
		}
	}
	for i := range redacted.Files {
		if err := redacted.Files[i].redactFile(); err != nil {
			return Output{}, err
		}
	}
	return redacted, nil
}

// redactFile takes out what the Secrets in a file hold, and leaves one without
// Secrets as it is.
func (o *Object) redactFile() error {
	var texts []string
	changed := false
	for _, d := range split(o.Source, string(o.YAML)) {
		one := d.object(nil)
		redacted, err := one.redact()
		if err != nil {
			return err
		}
		changed = changed || redacted
		texts = append(texts, string(one.YAML))
	}
	if changed {
		o.YAML = []byte(strings.Join(texts, "\n---\n") + "\n")
	}
	return nil
}

// redact takes out what a Secret holds, and reports whether it was one. An
// object of unknown kind is looked into.
func (o *Object) redact() (bool, error) {
	if o.Kind != "" && o.Kind != "Secret" && !strings.HasSuffix(o.Kind, "List") {
		return false, nil
	}
	tree, err := o.Tree()
	if err != nil {
		return false, err
	}
	if o.Kind == "Secret" {
		tree["kind"] = o.Kind // however it was spelt
	}
	if !redactTree(tree) {
		return false, nil
	}
	return true, o.write(tree)
}

// redactTree takes out what Secrets hold and reports whether there was anything.
func redactTree(tree map[string]any) (changed bool) {
	if tree["kind"] == "Secret" {
		for _, field := range []string{"data", "stringData"} {
			values, isMap := tree[field].(map[string]any)
			if tree[field] != nil && !isMap {
				tree[field], changed = "REDACTED", true
			}
			for key, value := range values {
				text := fmt.Sprint(value)
				size := len(text)
				if raw, err := base64.StdEncoding.DecodeString(text); err == nil && field == "data" {
					size = len(raw)
				}
				values[key], changed = fmt.Sprintf("REDACTED (%d bytes)", size), true
			}
		}
	}
	list, _ := tree["items"].([]any)
	for _, item := range list {
		if below, ok := item.(map[string]any); ok && redactTree(below) {
			changed = true
		}
	}
	return changed
}
