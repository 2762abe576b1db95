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
	ended := append(slices.Clip(o.YAML), '\n') // as it is applied: a text in a block that ends with the document ends with a line break
	if err := yaml.Unmarshal(ended, &tree, exact); err != nil {
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

// labelCRDs gives the definitions of folders crds the labels of the object
// that they are installed for, and takes lists of them apart. Known is those
// that were labelled before; nil keeps none.
func (o *Output) labelCRDs(in Input, known map[string]postRendered) error {
	var labelled []Object
	for _, object := range o.Objects {
		key := fmt.Sprintf("crds/ %q\n%s\n%s", in.originLabels(), object.Source, object.YAML)
		made, done := known[key]
		if !done {
			var err error
			if made.objects, err = object.labelled(in.originLabels()); err != nil {
				return err
			}
			if known != nil {
				known[key] = made
			}
		}
		labelled = append(labelled, made.objects...)
	}
	o.Objects = labelled
	return nil
}

// labelled gives the object labels, or the items of the list that it is.
func (o Object) labelled(labels map[string]string) ([]Object, error) {
	items, err := o.Items()
	if err != nil {
		return nil, err
	}
	var all []Object
	for _, item := range items {
		one := o
		one.APIVersion, one.Kind, one.Namespace, one.Name = item.APIVersion, item.Kind, item.Namespace, item.Name
		setLabels(item.Tree, labels)
		if err := one.write(item.Tree); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func setLabels(tree map[string]any, labels map[string]string) {
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
