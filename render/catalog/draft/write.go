package draft

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"go.yaml.in/yaml/v3"

	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// page is the text of a draft that is being written. The first error stays.
type page struct {
	bytes.Buffer
	err error
}

// body writes the draft without its checksum.
func (d *drafting) body() ([]byte, error) {
	var p page
	d.head(&p)
	fmt.Fprintf(&p, "apiVersion: pm-gitops/v1\nkind: Catalog\nlines:\n")
	p.line("- ", pair{"name", d.New.Name})
	d.facts(&p)
	entries, same := d.layoutEntries()
	p.comment("  ", "Layout: which chart value each field of an environment sets. "+d.kept(same))
	p.list("layout", entries)
	changes, differs := d.moveEntries()
	switch {
	case !differs && d.Known && d.New.Moves != nil:
		p.comment("  ", "Moves: the catalog has all that was found; its moves stay.")
		p.list("moves", slices.DeleteFunc(changes, func(e entry) bool { return e.item != nil && !e.off }))
	default:
		p.comment("  ", "Moves: what becomes of chart values, wherever they are set. They replace those that the catalog has for the line.")
		p.list("moves", changes)
	}
	d.jobs(&p)
	d.read(&p)
	p.comment("  ", "Not proved by comparing charts, and not written: loops, released, notes, server and ui tags, and how long migrations may take.")
	return p.Bytes(), p.err
}

// head says where the draft comes from and how to read it.
func (d *drafting) head(p *page) {
	p.comment("", fmt.Sprintf("Release line %s, drafted by pm-gitops plan --write-catalog from the charts %s %s and %s. Review it, then name it with spec.catalog or --catalog. The checksum lets the command replace the file as long as it is unchanged.", d.New.Name, release, d.From, d.To))
	p.comment("", "certain: rendering both charts proves it, or a text of the chart says it. suspected: a name, a type or a place says it, and it is not active. unknown: a person has to decide.")
	p.comment("", "An environment proves only what it sets: fields were compared with made-up values, one probe for each identity provider; where even those prove nothing, the old rule is kept and the comment says so. No value of an environment is in this file.")
	for _, failed := range d.Failed {
		p.comment("", "Not compared: "+d.clean(failed))
	}
}

// kept says which fields are proved to stay.
func (d *drafting) kept(same []string) string {
	if same == nil {
		return ""
	}
	return "certain: these fields set what they set on line " + d.Old.Name + ", to the same effect: " + strings.Join(same, ", ") + "."
}

// facts writes what belongs to the line as a whole.
func (d *drafting) facts(p *page) {
	ranges := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(d.Charts)) {
		version, err := semver.NewVersion(d.Charts[key])
		line, err2 := semver.NewVersion(d.New.Name)
		if err == nil && err2 == nil && version.Major() == line.Major() && version.Minor() == line.Minor() {
			ranges[key] = fmt.Sprintf(">=%d.%d.0 <%d.%d.0", line.Major(), line.Minor(), line.Major(), line.Minor()+1)
		}
	}
	_, covered := d.New.Charts[release]
	switch {
	case covered:
		p.comment("  ", "Charts: the catalog has the range of "+release+", and that of others by the number of the line.")
	case len(ranges) > 0:
		p.comment("  ", "certain: the number of a line is that of its charts.")
		p.line("  ", pair{"charts", ranges})
	}
	switch {
	case d.like:
		p.comment("  ", fmt.Sprintf("What this file does not say is as on line %s.", d.Old.Name))
		p.line("  ", pair{"like", d.Old.Name})
	default:
		p.comment("  ", "The catalog knows the layout of the line: only what is missing there or contradicted is below.")
	}
}

// jobs writes the migrations.
func (d *drafting) jobs(p *page) {
	jobs, after, known := d.migrations()
	if !known {
		p.comment("  ", "unknown: no hook whose name says that it migrates is among the objects: migrations stay as they are on the line.")
		return
	}
	if now := d.New.Migrations; d.Known && now != nil && slices.Equal(slices.Sorted(slices.Values(now.Jobs)), jobs) && now.AfterInstall != nil && *now.AfterInstall == after {
		p.comment("  ", "Migrations: the catalog has the jobs that rendering shows.")
		return
	}
	when := "before the install"
	if after {
		when = "after the install"
	}
	p.comment("  ", "certain: the new chart makes these hooks, and a first install runs them "+when+". How long they may take is not known from a chart.")
	p.line("  ", pair{"migrations", map[string]any{"jobs": jobs, "afterInstall": after}})
}

// read writes the Secrets that the chart reads with secrets.into: chart.
func (d *drafting) read(p *page) {
	all, some := d.secrets()
	if len(all)+len(some) == 0 {
		p.comment("  ", "unknown: which Secrets the chart reads with secrets.into: chart is not shown by the probes: as on line "+d.Old.Name+" where the line is like it.")
		return
	}
	if d.Known && maps.EqualFunc(all, d.New.Secrets, func(a, b []string) bool { return slices.Equal(a, slices.Sorted(slices.Values(b))) }) {
		p.comment("  ", "Secrets: the catalog has those that rendering shows.")
		return
	}
	p.comment("  ", "certain: with secrets.into: chart the new chart makes none of these and its pods name them, and otherwise it makes them with these keys.")
	for _, name := range slices.Sorted(maps.Keys(some)) {
		p.comment("  ", "Only with some identity providers, and so not below: "+name+": "+strings.Join(some[name], ", "))
	}
	fmt.Fprintf(p, "  secrets:\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p.entry("    ", name, all[name])
	}
}

// list writes a list of entries: as a comment if none of them is active.
func (p *page) list(key string, entries []entry) {
	active := slices.ContainsFunc(entries, func(e entry) bool { return e.item != nil && !e.off })
	if active {
		fmt.Fprintf(p, "  %s:\n", key)
	} else if len(entries) > 0 {
		fmt.Fprintf(p, "  # %s:\n", key)
	}
	for _, e := range entries {
		p.comment("  ", string(or(e.sure))+": "+e.why)
		if e.item == nil {
			continue
		}
		item := "- " + p.flow(mapping(e.item))
		if e.off {
			item = "# " + item
		}
		fmt.Fprintf(p, "  %s\n", item)
	}
}

func or(sure hop.Certainty) hop.Certainty {
	if sure == "" {
		return hop.Unknown
	}
	return sure
}

// line writes a key with its value on a line.
func (p *page) line(indent string, one pair) {
	fmt.Fprintf(p, "%s%s: %s\n", indent, one.key, p.flow(node(one.value)))
}

// entry writes a name that comes from a chart with its value.
func (p *page) entry(indent, name string, value any) {
	fmt.Fprintf(p, "%s%s: %s\n", indent, p.flow(node(name)), p.flow(node(value)))
}

// maxWidth limits how long the lines of comments are, but for words that are longer.
const maxWidth = 118

// comment writes a text as a comment. Whatever is in it, it stays one.
func (p *page) comment(indent, sentence string) {
	line := indent + "#"
	for word := range strings.FieldsSeq(strings.ToValidUTF8(sentence, "?")) {
		word = text.Visible(word)
		if len(line) > len(indent)+1 && len(line)+1+len(word) > maxWidth {
			fmt.Fprintln(p, line)
			line = indent + "#"
		}
		line += " " + word
	}
	fmt.Fprintln(p, line)
}

// flow writes a node on one line.
func (p *page) flow(n *yaml.Node) string {
	data, err := yaml.Marshal(n)
	line := strings.TrimSuffix(string(data), "\n")
	if err == nil && strings.Contains(line, "\n") {
		err = fmt.Errorf("draft a catalog: an item does not fit on a line")
	}
	if p.err == nil {
		p.err = err
	}
	return line
}

// mapping makes a mapping on one line, its keys in their order.
func mapping(pairs []pair) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle}
	for _, one := range pairs {
		n.Content = append(n.Content, node(one.key), node(one.value))
	}
	return n
}

// node makes a value that stands on one line; keys of mappings are sorted.
func node(value any) *yaml.Node {
	switch value := value.(type) {
	case map[string]any:
		var pairs []pair
		for _, key := range slices.Sorted(maps.Keys(value)) {
			pairs = append(pairs, pair{key, value[key]})
		}
		return mapping(pairs)
	case []string:
		all := make([]any, len(value))
		for i, one := range value {
			all[i] = one
		}
		return node(all)
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
		for _, item := range value {
			n.Content = append(n.Content, node(item))
		}
		return n
	case string:
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
		if strings.ContainsAny(value, "\n\r\u0085\u2028\u2029") || value == "" {
			n.Style = yaml.DoubleQuotedStyle
		}
		return n
	}
	n := &yaml.Node{}
	if err := n.Encode(value); err != nil { // not of a catalog
		n = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: fmt.Sprint(value)}
	}
	return n
}
