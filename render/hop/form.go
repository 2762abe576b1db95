package hop

import "fmt"

// form changes a value so that the new chart takes it. The zero
// form takes it as it is.
type form struct {
	how string
	key string // of the item of a list
}

// The forms that a value may have in the new chart (see [Parity]).
const (
	InList   = "as an item of a list"
	Opposite = "the other way round"
)

const (
	inList   = InList
	inItem   = "as a field of an item of a list"
	opposite = Opposite
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

// formsOf gives the forms in which an old value may be tried where the new chart has
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

// retyped gives the path at or above a value at which the new chart has a list where the
// old one had something else; nil if it has none.
func (w *work) retyped(at path) path {
	for i := range at {
		was, had := get(w.old.defaults, at[:i+1])
		is, has := get(w.new.defaults, at[:i+1])
		if had && has && kindOf(was) != "list" && kindOf(is) == "list" {
			return at[:i+1]
		}
	}
	return nil
}

// inOtherType looks for the form in which a list of the new chart takes what was a value
// of its own or of a mapping; a switch may have become that the list has an item.
func (w *work) inOtherType(f *fate, at path) {
	if f.lands {
		w.probeAlone(f)
	}
	var options []form
	if on, isSwitch := f.value.(bool); isSwitch && on {
		options = append(options, form{how: presence})
	} else {
		options = formsOf(f.path, f.value, []any{})
	}
	var proved []form
	var places []place
	for _, one := range options {
		a, b := with(w.now, at, one.of(f.value)), without(w.now, at)
		switch {
		case one.how == presence:
			a = w.now
		case f.other != nil:
			b = with(w.now, at, one.of(f.other))
		}
		e, ok := w.effectOf(w.new, a, b)
		e.oneSided = f.effect.oneSided
		if result := agree(f.effect, e, w.twins); ok && result.proves() {
			proved, places = append(proved, one), result.same
		}
	}
	if len(proved) == 1 {
		f.form = proved[0]
		w.settle(f, Placed, Certain, at, fmt.Sprintf("%s is a list in the new chart; %s, it does to %s what it did", at, f.form.how, theFields(len(places))), places)
	}
}
