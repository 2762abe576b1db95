package hop

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// change is the text of a place with one value and with another.
type change struct {
	was, is  string
	had, has bool
}

// effect holds all places that another value changes.
type effect struct {
	places map[place]change
	a, b   *made // with the one value and with the other
	// oneSided: the other value was none, and a chart's default took its place. Two
	// charts may have others.
	oneSided bool
}

// differ compares what a chart made of two values. Places that are others each time are
// left out.
func differ(a, b *made, random map[place]bool) effect {
	e := effect{places: map[place]change{}, a: a, b: b}
	if a == nil || b == nil || a == b {
		return e
	}
	ids := maps.Clone(a.texts)
	maps.Copy(ids, b.texts)
	for id := range ids {
		if a.texts[id] == b.texts[id] {
			continue
		}
		first, second := a.fields(id), b.fields(id)
		for field, was := range first {
			is, has := second[field]
			if at := (place{id, field}); (!has || is != was) && !random[at] {
				e.places[at] = change{was, is, true, has}
			}
		}
		for field, is := range second {
			if _, had := first[field]; !had && !random[place{id, field}] {
				e.places[place{id, field}] = change{is: is, has: true}
			}
		}
	}
	return e
}

func (e effect) empty() bool { return len(e.places) == 0 }

// sorted gives the places in order.
func (e effect) sorted() []place {
	return slices.SortedFunc(maps.Keys(e.places), comparePlaces)
}

func comparePlaces(a, b place) int {
	if n := compareObjects(a.object, b.object); n != 0 {
		return n
	}
	return strings.Compare(a.field, b.field)
}

// exists reports whether a place is there with one of the values.
func (e effect) exists(p place) bool {
	if _, ok := e.a.at(p); ok {
		return true
	}
	_, ok := e.b.at(p)
	return ok
}

// hash is what a checksum looks like: it says nothing but that something changed.
var hash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{32,128}$`) })

// essence gives what a value does to a text, without the text around it: two charts may
// write different texts around the same value.
func (c change) essence() string {
	switch {
	case !c.had:
		return "+"
	case !c.has:
		return "-"
	case hash().MatchString(c.was) && hash().MatchString(c.is):
		return "#"
	}
	a, b := c.was, c.is
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return "=" + a + "\x00" + b
}

// agreement compares the effects of an old and of a new value, on places that both
// charts have.
type agreement struct {
	same    []place // the same effect
	other   int     // another one, or none on one side
	missing int     // places of the old one that the new chart has not
}

// proves reports whether the new value does what the old one did.
func (a agreement) proves() bool { return len(a.same) > 0 && a.other == 0 }

// agree compares the effect of a value of the old chart with that of one of the new.
func agree(old, new effect, renamed map[object]object) agreement {
	var result agreement
	counted := map[place]bool{}
	for _, at := range old.sorted() {
		there := at.renamed(renamed)
		counted[there] = true
		was := old.places[at]
		if old.oneSided && !was.had {
			continue
		}
		switch found, changed := new.places[there]; {
		case changed && old.oneSided && found.had && found.was == was.was:
			result.same = append(result.same, there)
		case changed && !old.oneSided && found.essence() == was.essence():
			result.same = append(result.same, there)
		case changed || new.exists(there):
			result.other++
		default:
			result.missing++
		}
	}
	for at := range new.places {
		if !counted[at] && old.exists(at) {
			result.other++
		}
	}
	return result
}

// renamed gives the place in an object that has another name in the new chart: the names of
// its containers and its variables may have changed with it.
func (p place) renamed(names map[object]object) place {
	other, ok := names[p.object]
	if !ok {
		return p
	}
	return place{other, strings.ReplaceAll(p.field, "[name="+p.name+"]", "[name="+other.name+"]")}
}

// objects gives the names of the objects of places, sorted, each once.
func objectsOf(places []place) []string {
	var all []string
	for _, p := range places {
		all = append(all, p.object.String())
	}
	slices.Sort(all)
	return few(slices.Compact(all))
}

// placesOf gives places as texts, sorted, each once.
func placesOf(places []place) []string {
	var all []string
	for _, p := range places {
		all = append(all, p.String())
	}
	slices.Sort(all)
	return few(slices.Compact(all))
}
