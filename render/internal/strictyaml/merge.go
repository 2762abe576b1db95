package strictyaml

// Merge lays child over parent: mappings merge key by key, anything else in
// the child replaces what the parent has, and a null takes it away. Neither
// is changed.
func Merge(parent, child *Value) *Value {
	if parent == nil || child == nil || parent.Kind != Mapping || child.Kind != Mapping {
		if child == nil {
			return parent
		}
		return child
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
