package hop

// form is what has to be done with a value so that the new chart takes it. The zero
// form takes it as it is.
type form struct {
	how string
	key string // of the item of a list
}

const (
	inList   = "as an item of a list"
	inItem   = "as a field of an item of a list"
	opposite = "the other way round"
	presence = "by its being there" // of something else, where a switch was
)

// of gives a value in the form.
func (f form) of(value any) any {
	switch f.how {
	case inList:
		return []any{value}
	case inItem:
		return []any{map[string]any{f.key: value}}
	case opposite:
		if b, ok := value.(bool); ok {
			return !b
		}
	}
	return value
}

// formsOf is the forms in which an old value may be tried where the new chart has
// another.
func formsOf(at path, value, other any) []form {
	switch a, b := kindOf(value), kindOf(other); {
	case a == "boolean" && b == "boolean":
		return []form{{}, {how: opposite}}
	case a == b || b == "":
		return []form{{}}
	case b == "list" && a != "mapping":
		return []form{{how: inList}, {how: inItem, key: at.last()}}
	}
	return nil
}
