package strictyaml

// Merge lays child over parent: mappings merge key by key, anything else in
// the child replaces what the parent has, and a null takes it away. Neither
// is changed; a value that replaces another says so in Replaces.
func Merge(parent, child *Value) *Value {
	switch {
	case child == nil:
		return parent
	case parent.IsNull():
		return child
	case parent.Kind != Mapping || child.Kind != Mapping:
		return child.over(parent)
	}
	merged := *child
	merged.Entries = nil
	for _, entry := range parent.Entries {
		if over := child.Get(entry.Key); over == nil {
			merged.Entries = append(merged.Entries, entry)
		}
	}
	for _, entry := range child.Entries {
		below := parent.Get(entry.Key)
		if below != nil && entry.Value.IsNull() {
			continue
		}
		entry.Value = Merge(below, entry.Value)
		merged.Entries = append(merged.Entries, entry)
	}
	return &merged
}

// over gives v, which then also replaces another value.
func (v *Value) over(parent *Value) *Value {
	over := *v
	if over.Replaces == nil {
		over.Replaces = parent
	} else {
		over.Replaces = over.Replaces.over(parent)
	}
	return &over
}
