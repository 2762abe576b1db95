package images

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/render/ref"
)

func sortedKeys(tree map[string]any) []string { return slices.Sorted(maps.Keys(tree)) }

// value looks through what lies below a key.
func (f *finder) value(key string, value any, at *path) {
	if at.depth > deepest {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		f.tree(key, value, at)
	case []any:
		for i, one := range value {
			f.value(key, one, at.index(i))
		}
	case string:
		f.word(key, value, f.how, at)
	}
}

func (f *finder) tree(key string, tree map[string]any, at *path) {
	skipped := map[string]bool{"managedFields": true}
	if isPod(tree) {
		f.pod(tree, at)
		for _, of := range containers {
			skipped[of.key] = true
		}
	}
	if whole := composed(tree); whole != "" && (isImageKey(key) || hasHost(whole)) {
		f.add(whole, f.how, Likely, at)
		skipped["image"] = true
	}
	for _, name := range sortedKeys(tree) {
		below := name
		if _, isText := tree[name].(string); isText && strings.HasSuffix(strings.ToLower(key), "images") {
			below = key // images by their names
		}
		if !skipped[name] {
			f.value(below, tree[name], at.key(name))
		}
	}
}

// composed is the reference that a value is in parts, or nothing: repository
// or image with a tag or a digest, and maybe a registry or Istio's hub before
// it.
func composed(tree map[string]any) string {
	name, tag, digest := text(tree["repository"]), text(tree["tag"]), text(tree["digest"])
	if name == "" {
		name = text(tree["image"])
	}
	whole, err := ref.ParseImage(name)
	if err != nil || whole.Tag != "" || whole.Digest != "" || tag == "" && digest == "" {
		return ""
	}
	for _, key := range []string{"hub", "registry"} {
		if host := strings.TrimSuffix(text(tree[key]), "/"); host != "" {
			name = host + "/" + name
		}
	}
	if tag != "" {
		name += ":" + tag
	}
	if variant := text(tree["variant"]); tag != "" && variant != "" {
		name += "-" + variant
	}
	if digest != "" {
		name += "@" + digest
	}
	return name
}

// isImageKey reports whether a key says that an image lies there: image,
// proxyImage, sidecar.istio.io/proxyImage, RELATED_IMAGE_RELOADER, images.
func isImageKey(key string) bool { return strings.Contains(strings.ToLower(key), "image") }

// isReference reports whether a text below a key that says image is one. A
// name alone may be a part of a reference, such as Istio's proxyv2, so a tag
// or a digest must be there; or a host and a key that ends with image, since
// imageRegistry and imageRepository are parts as well.
func isReference(key, value string) bool {
	reference, err := ref.ParseImage(value)
	if err != nil {
		return false
	}
	if reference.Tag != "" || reference.Digest != "" {
		return true
	}
	ends := strings.TrimSuffix(strings.ToLower(key), "s")
	return strings.HasSuffix(ends, "image") && hasHost(value) && !isPicture(value)
}

// isPicture reports whether a text ends like the name of a picture, which is
// an image too.
func isPicture(value string) bool {
	endings := []string{".png", ".svg", ".jpg", ".jpeg", ".gif", ".ico", ".webp"}
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(value, ending) })
}

// hasHost reports whether a reference names a host that can be a registry's.
func hasHost(value string) bool {
	reference, err := ref.ParseImage(value)
	if err != nil {
		return false
	}
	host, path, _ := strings.Cut(value, "/")
	isHost := strings.EqualFold(host, reference.Host) || reference.Host == ref.DockerHub && strings.HasSuffix(host, ref.DockerHub)
	return path != "" && isHost && strings.ContainsAny(host, ".:")
}

// isFull reports whether a text is a whole reference of which nothing is left
// to guess: a host, a path, and a tag or digest. A number may be the port of
// an address, as the tag of one too.
func isFull(value string) bool {
	reference, err := ref.ParseImage(value)
	if err != nil || !hasHost(value) || isPort(reference.Tag) {
		return false
	}
	return reference.Tag != "" || reference.Digest != ""
}

func isPort(tag string) bool {
	return tag != "" && len(tag) <= 5 && strings.Trim(tag, "0123456789") == ""
}

// variables looks at the environment variables of a container.
func (f *finder) variables(value any, at *path) {
	list, _ := value.([]any)
	for i, one := range list {
		variable, _ := one.(map[string]any)
		f.word(text(variable["name"]), text(variable["value"]), Variable, at.index(i).key("value"))
	}
}

// word looks at a text that has a name: an image because the name says so, a
// document, or something that has no other sense than that of a reference.
func (f *finder) word(name, value string, how How, at *path) {
	if f.how == Text {
		how = Text
	}
	switch {
	case isImageKey(name) && isReference(name, value):
		f.add(value, how, Likely, at)
	case strings.ContainsAny(value, "\n{["):
		f.text(value, at.document())
	case isFull(value):
		f.add(value, how, Possible, at)
	}
}

// arguments looks at the words of a command: --image=X, --image X, and whole
// scripts.
func (f *finder) arguments(value any, at *path) {
	list, _ := value.([]any)
	before := ""
	for i, one := range list {
		word := text(one)
		if strings.ContainsAny(word, " \n") {
			f.text(word, at.index(i).document())
			continue
		}
		name, of, found := strings.Cut(word, "=")
		if !found {
			name, of = before, word
		}
		f.word(name, of, Argument, at.index(i))
		before = ""
		if strings.HasPrefix(word, "-") && !found {
			before = word
		}
	}
}

// imageLine is a line, or a part of one, that gives something named image.
// It is compiled when it is first needed: many commands look at no image.
var imageLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)([a-z0-9_./-]*image[a-z0-9_.-]*)["']?\s*(?::\s|:$|=)\s*["']?([^\s"',;{}()\[\]<>]+)`)
})

// lines looks through a text that is no document, line by line. What its
// templates fill in is not known, and no reference.
func (f *finder) lines(value string, at *path) {
	number := 0
	for line := range strings.Lines(value) {
		if number++; len(line) > longestLine {
			continue
		}
		for _, found := range imageLine().FindAllStringSubmatch(line, -1) {
			if name, of := found[1], found[2]; isReference(name, of) {
				f.add(of, Text, Likely, at.nth(number))
			}
		}
	}
}

// longestLine is how long a line is looked at: what is longer, nobody wrote.
const longestLine = 4096
