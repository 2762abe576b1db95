package chart

import (
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/template/parse"
	"unicode"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// facts is what was found out about a chart, once for all of its renders.
type facts struct {
	schemas sync.Map // address of a schema's text to func() compiled

	once sync.Once
	traits
	// repeats and upgrades say whether renders have confirmed what the templates
	// say: that the same comes again, and that an upgrade is as an install.
	repeats, upgrades atomic.Int32
}

// What renders say about a fact.
const (
	unconfirmed = iota
	confirmed
	refuted
)

// traits is what the templates of a chart say about how it renders.
type traits struct {
	// random is the files with functions that may give something else each time.
	// Nothing of them gets out but what they print.
	random []string
	// uncertain: such functions are in partials, or in files that change values.
	uncertain bool
	// action: a template may ask which action it is rendered for.
	action bool
	// texts: values and files are templates too; held: one of the chart's own
	// has such a function in it.
	texts, held bool
}

// changing is the functions of Helm's engine that may give something else each
// time: random values, times, and lists in the order of a map.
var changing = []string{
	"randAlpha", "randAlphaNum", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
	"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey",
	"bcrypt", "htpasswd", "encryptAES",
	"now", "ago", "date", "dateInZone", "date_in_zone", "htmlDate", "htmlDateInZone", "durationRound",
	"keys", "values",
}

// mutating is the functions that change what other templates get.
var mutating = []string{"set", "unset", "merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite"}

// learn reads the templates of a chart and of those in it, once.
func (f *facts) learn(c *helm.Chart) *traits {
	f.once.Do(func() { f.traits.chart(c) })
	return &f.traits
}

// chart learns from the templates of a chart and of those in it.
func (t *traits) chart(c *helm.Chart) {
	for _, file := range c.Templates {
		if file != nil {
			t.template(path.Join(c.ChartFullPath(), file.Name), string(file.Data))
		}
	}
	values := slices.DeleteFunc(slices.Clone(c.Raw), func(file *helm.File) bool { return file != nil && file.Name != chartutil.ValuesfileName })
	for _, file := range slices.Concat(values, c.Files) {
		t.held = t.held || file != nil && hasChanging(string(file.Data))
	}
	for _, dependency := range c.Dependencies() {
		t.chart(dependency)
	}
}

// template learns from one template. What cannot be read is uncertain.
func (t *traits) template(name, text string) {
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		t.uncertain, t.action = true, true
		return
	}
	var seen words
	for _, one := range trees {
		if one.Root != nil {
			seen.list(one.Root)
		}
	}
	t.texts = t.texts || seen.has("tpl")
	t.action = t.action || seen.action
	if !seen.hasAny(changing) {
		return
	}
	if strings.HasPrefix(path.Base(name), "_") || len(trees) > 1 || seen.hasAny(mutating) {
		t.uncertain = true
	}
	t.random = append(t.random, name)
}

// certain reports whether a render with values, which made these files, would
// make them again.
func (t *traits) certain(values string, files map[string]string) bool {
	if t.uncertain || t.texts && (t.held || hasChanging(values)) {
		return false
	}
	return !slices.ContainsFunc(t.random, func(name string) bool { return strings.TrimSpace(files[name]) != "" })
}

// hasChanging reports whether a text that may be a template has the name of a
// function in it that may give something else each time.
func hasChanging(text string) bool { return names(text, changing) }

// names reports whether a text that may be a template names one of the words.
func names(text string, words []string) bool {
	if !strings.Contains(text, "{{") {
		return false
	}
	return slices.ContainsFunc(strings.FieldsFunc(text, notInWord), func(word string) bool { return slices.Contains(words, word) })
}

func notInWord(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
