package check

import (
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

// proposeImage proposes the chart values of which the image's name is made: the whole
// of it, or what is before the last names (a registry, a hub). Which of them moves the
// image is found out by rendering.
func (s *scope) proposeImage(f *finding.Finding, r *release, i images.Image, target string) {
	written, tag, digest := ref.Split(i.Written)
	var whole, parts, empty [][]finding.Proposal
	texts := s.settings(*f, r, func(l leaf) bool { _, isText := l.value.(string); return isText })
	texts = slices.DeleteFunc(texts, func(one setting) bool { return one.item() && !one.said })
	for _, one := range texts {
		text, isEmpty := one.value.(string), one.value == ""
		switch named := namesImages(one.path); {
		case isEmpty && namesRegistry(one.path):
			empty = append(empty, one.heads(texts, i, target)...)
		case isEmpty || !named && !ref.HasHost(text+"/x"):
		case text == i.Written && tag+digest != "":
			whole = append(whole, []finding.Proposal{one.set(target + strings.TrimPrefix(i.Written, written))})
		case text == written || text == i.Reference.Name() || ref.DockerHub+"/"+text == i.Reference.Name():
			whole = append(whole, []finding.Proposal{one.set(target)})
		default:
			if rest, isHead := strings.CutPrefix(written, text+"/"); isHead {
				parts = append(parts, one.head(texts, rest, target))
			}
		}
	}
	for _, one := range s.unset(*f, r, namesRegistry) {
		empty = append(empty, one.heads(nil, i, target)...)
	}
	none := func(set []finding.Proposal) bool { return set == nil }
	parts, empty = slices.DeleteFunc(parts, none), slices.DeleteFunc(empty, none)
	if likely := slices.Concat(whole, parts); len(likely) > 0 {
		s.putField(f, r, likely[0][0].Field)
	}
	offer(f, slices.Concat(whole, parts, empty), f.Fix)
}

// set proposes a value.
func (one setting) set(value any) finding.Proposal {
	proposal := one.Proposal
	proposal.Value = value
	return proposal
}

// heads proposes what may be before the last names of an image for a value that is empty.
func (one setting) heads(texts []setting, i images.Image, target string) (all [][]finding.Proposal) {
	name, _, _ := ref.Split(i.Written)
	for rest := strings.TrimPrefix(name, i.Reference.Host+"/"); rest != ""; _, rest, _ = strings.Cut(rest, "/") {
		all = append(all, one.head(texts, rest, target))
	}
	return all
}

// head proposes what is before the last names of an image, rest, for the value that has
// it. Where the last names become others, so does the value beside it that has them.
func (one setting) head(texts []setting, rest, target string) []finding.Proposal {
	names := strings.Split(target, "/")
	last := len(names) - 1 - strings.Count(rest, "/")
	if last < 1 {
		return nil
	}
	set := []finding.Proposal{one.set(strings.Join(names[:last], "/"))}
	if moved := strings.Join(names[last:], "/"); moved != rest {
		i := slices.IndexFunc(texts, func(other setting) bool { return other.value == rest && above(other.path) == above(one.path) })
		if i < 0 {
			return nil
		}
		set = append(set, texts[i].set(moved))
	}
	return set
}

// above returns the path of the mapping that has a value.
func above(path string) string { return strings.TrimSuffix(path, lastKey(path)) }

// namesImages reports whether the path of a chart value says that it is an image,
// or a part of one.
func namesImages(path string) bool {
	return strings.Contains(strings.ToLower(path), "image") || lastKey(path) == "repository" || namesRegistry(path)
}

// namesRegistry reports whether the path of a chart value says that it is what an
// image's name begins with.
func namesRegistry(path string) bool {
	key := strings.ToLower(lastKey(path))
	return key == "hub" || strings.HasSuffix(key, "registry")
}

// moves gives the texts that begin the names of a release's images, and in their places
// what begins them on the mirror: whole names, registries, hubs. A text that would
// become several others is not among them, nor one that the mirror has elsewhere for
// the images that are not seen here, as the map may say.
func (s *scope) moves(r *release) map[string]string {
	if r.moved != nil {
		return r.moved
	}
	r.moved = map[string]string{}
	for _, i := range r.images() {
		if i.Problem != "" || s.Plan.IsMirrored(i.Reference.Name()) {
			continue
		}
		from, _, _ := ref.Split(i.Written)
		name := i.Reference.Name()
		for to := s.Plan.Mirrored(name); to == s.Plan.Mirrored(name); from, name, to = path.Dir(from), path.Dir(name), path.Dir(to) {
			if other, known := r.moved[from]; known && other != to {
				to = ""
			}
			r.moved[from] = to
			if path.Base(from) != path.Base(to) || !strings.Contains(from, "/") || !strings.Contains(to, "/") {
				break
			}
		}
	}
	maps.DeleteFunc(r.moved, func(_, to string) bool { return to == "" })
	return r.moved
}

// misplaces gives an image that a release pulls from the mirror after a fix, and that no
// image of the release is copied to: only the host is right. It is empty if none is.
func (s *scope) misplaces(r, after *release) string {
	places := map[string]bool{}
	for _, i := range r.images() {
		places[i.Reference.Name()] = true
		places[s.Plan.Mirrored(i.Reference.Name())] = true
	}
	for _, i := range after.images() {
		if name := i.Reference.Name(); i.Problem == "" && i.Sure != images.Possible && s.Plan.IsMirrored(name) && !places[name] {
			return clean(name)
		}
	}
	return ""
}

// asksImage reports whether images move to where they are on the mirror, and the
// text around them stays, whatever pulls them. A name without a host may be another
// text: it moves where the image was found, and where a key says that it is one.
func asksImage(s *scope, f finding.Finding, c change) bool {
	r := s.find(f.Release)
	moves := s.moves(r)
	before, isText := c.before.(string)
	after, stays := c.after.(string)
	if !stays || !isText && c.before != nil {
		return false
	}
	if to, isMoved := moves[before]; namesImages(c.path) && (isMoved && to == after || r.repeats(c, f.Set)) {
		return true
	}
	for _, i := range r.images() {
		isHere := i.Path == c.path || strings.HasPrefix(i.Path, c.path+": ")
		if name, _, _ := ref.Split(i.Written); isHere && i.Object.Kind == c.object.Kind && i.Object.Name == c.object.Name && moves[name] != "" {
			before = strings.ReplaceAll(before, i.Written, moves[name]+strings.TrimPrefix(i.Written, name))
		}
	}
	return isText && relocate(before, moves) == relocate(after, moves)
}

// repeats reports whether a document in a text only repeats a chart value that is set:
// it had the value before, if it had any.
func (r *release) repeats(c change, set []finding.Proposal) bool {
	return strings.Contains(c.path, ": ") && slices.ContainsFunc(set, func(p finding.Proposal) bool {
		had := c.before == nil || slices.Contains(r.leaves(), leaf{p.Path, c.before})
		return had && lastKey(p.Path) == lastKey(c.path) && reflect.DeepEqual(p.Value, c.after)
	})
}

// relocate replaces the beginnings of names that have a host in a text, the longest first.
func relocate(text string, moves map[string]string) string {
	var froms []string
	for _, from := range slices.Sorted(maps.Keys(moves)) {
		if ref.HasHost(from + "/x") {
			froms = append(froms, from)
		}
	}
	slices.SortStableFunc(froms, func(a, b string) int { return len(b) - len(a) })
	var b strings.Builder
	for at := 0; at < len(text); {
		i := -1
		if starts(text[:at]) {
			isAddress := strings.HasSuffix(text[:at], "//") // of a host, it may be any
			i = slices.IndexFunc(froms, func(from string) bool {
				return begins(text[at:], from) && (!isAddress || strings.Contains(from, "/"))
			})
		}
		if i < 0 {
			b.WriteByte(text[at])
			at++
			continue
		}
		b.WriteString(moves[froms[i]])
		at += len(froms[i])
	}
	return b.String()
}

// inNames has the characters of names and hosts.
const inNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// starts reports whether a host may start behind a text: the text does not end in a name,
// nor in a path that is not the // of an address.
func starts(text string) bool {
	end := text[max(0, len(text)-1):]
	return !strings.Contains(inNames, end) && end != "/" || end == "" || strings.HasSuffix(text, "//")
}

// begins reports whether a text begins with that of a name, and not with a longer name or
// another host. A host begins a name only if a slash follows: alone it may be any host,
// as in NO_PROXY, and behind a colon is its port.
func begins(text, from string) bool {
	rest, is := strings.CutPrefix(text, from)
	if !strings.Contains(from, "/") {
		return is && strings.HasPrefix(rest, "/")
	}
	return is && (rest == "" || !strings.Contains(inNames, rest[:1]))
}

// proposeSecret proposes the pull secret for the chart values that name some. Whether a
// list has names or mappings with a name is found out by rendering.
func (s *scope) proposeSecret(f *finding.Finding, r *release, secret string) {
	f.Fix = "name " + secret + " in the chart's values, often imagePullSecrets, or on the pod's ServiceAccount"
	var choices [][]finding.Proposal
	named := s.settings(*f, r, func(l leaf) bool { return namesPullSecrets(l.path) && !l.item() })
	for _, one := range append(named, s.unset(*f, r, namesPullSecrets)...) {
		var values []any
		switch old := one.value.(type) {
		case []any:
			values = []any{append(slices.Clone(old), map[string]any{"name": secret}), append(slices.Clone(old), secret)}
		case nil:
			values = []any{[]any{map[string]any{"name": secret}}, []any{secret}, secret}
		case string:
			if old == "" {
				values = []any{secret}
			}
		}
		for _, value := range values {
			choices = append(choices, []finding.Proposal{one.set(value)})
		}
	}
	offer(f, choices, f.Fix)
	if len(named) > 0 {
		s.putField(f, r, named[0].Field)
	}
}

// namesPullSecrets reports whether the path of a value says that it is pull secrets.
func namesPullSecrets(path string) bool {
	key := strings.ToLower(lastKey(path))
	return strings.HasSuffix(strings.TrimSuffix(key, "s"), "pullsecret")
}

// asksPullSecret reports whether pods, or ServiceAccounts, name the pull secret, or
// what makes pods of a text does.
func asksPullSecret(s *scope, _ finding.Finding, c change) bool {
	secret := string(s.Environment.Spec.Registry.PullSecret)
	if !namesPullSecrets(c.path) {
		before, wasText := c.before.(string)
		after, isText := c.after.(string)
		return wasText && isText && addsSecret(before, after, secret)
	}
	onlyMappings := takesReferences(c)
	if (c.before == nil || c.before == "") && c.after == secret {
		return !onlyMappings
	}
	old, now := list(c.before), list(c.after)
	names := func(one any) bool {
		return one == any(secret) && !onlyMappings || reflect.DeepEqual(one, map[string]any{"name": secret})
	}
	added := slices.DeleteFunc(slices.Clone(now), names)
	kept := slices.DeleteFunc(slices.Clone(old), names)
	return len(now) > len(old) && len(added) == len(kept) && (len(kept) == 0 || reflect.DeepEqual(kept, added))
}

// takesReferences reports whether the pull secrets at a place are those of a pod or a
// ServiceAccount, of which the API server takes mappings with a name alone.
func takesReferences(c change) bool {
	isOwn := slices.Contains([]string{"ServiceAccount", "Pod"}, c.object.Kind)
	return !strings.Contains(c.path, ": ") && (isOwn || strings.HasSuffix(c.path, "template.spec.imagePullSecrets"))
}

// addsSecret reports whether all that a text gets is imagePullSecrets with the pull
// secret alone.
func addsSecret(before, after, secret string) bool {
	var kept []string
	inside := false
	for line := range strings.Lines(after) {
		switch text := strings.TrimSpace(line); {
		case text == "imagePullSecrets:":
			inside = true
		case inside && (text == "- name: "+secret || text == "- "+secret):
		default:
			inside = false
			kept = append(kept, line)
		}
	}
	return before != after && before == strings.Join(kept, "")
}
