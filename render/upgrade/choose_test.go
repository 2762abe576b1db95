package upgrade_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

const (
	istiod = upgrade.PrefectIstiod
	cloud  = upgrade.PrefectCloud
	server = upgrade.Server
	ui     = upgrade.UI
)

// lists says what registries know, with the whole list of each part.
func lists(versions map[upgrade.Part]string) upgrade.Known {
	known := upgrade.Known{}
	for _, part := range upgrade.Parts() {
		known[part] = upgrade.Listed{Versions: strings.Fields(versions[part]), Complete: true}
	}
	return known
}

// own is the embedded catalog with lines of a user.
func own(t testing.TB, lines string) catalog.Catalog {
	t.Helper()
	if lines == "" {
		return catalog.Embedded()
	}
	c, err := catalog.Parse("own.yaml", []byte("apiVersion: pm-gitops/v1\nkind: Catalog\nlines:\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	return catalog.Embedded().With(c)
}

var now = upgrade.Versions{istiod: "1.2.900", cloud: "1.2.900", server: "2025.10.202511042343", ui: "2025.1023.154520"}

// TestChooseNewest looks at what is chosen where nothing is wanted.
func TestChooseNewest(t *testing.T) {
	const paired = `- {name: "1.2", server: ["2025.10.*"], ui: ["2025.1*"]}` + "\n"
	for name, tt := range map[string]struct {
		lines   string           // of the catalog
		now     upgrade.Versions // laid over those above
		known   map[upgrade.Part]string
		unknown bool // no list is whole
		want    upgrade.Versions
		notes   string
	}{
		"nothing newer": {known: map[upgrade.Part]string{cloud: "1.2.900", server: "2025.10.202510010000 2025.10.202511042343", ui: "2025.1023.154520"}},
		"October is newer than July and September, which have later stamps": {
			known: map[upgrade.Part]string{server: "2025.9.202512020000 2025.7.202512010000 2025.10.202512010000 2025.10.202511300000"},
			want:  upgrade.Versions{server: "2025.10.202512010000"},
		},
		"never another line":     {known: map[upgrade.Part]string{server: "2025.11.202512010000 2026.1.202601150930", cloud: "1.3.4 1.4.0 0.8.999", istiod: "1.3.4"}},
		"charts by number":       {known: map[upgrade.Part]string{cloud: "1.2.901 1.2.1000 1.2.999", istiod: "1.2.901"}, want: upgrade.Versions{cloud: "1.2.1000", istiod: "1.2.901"}},
		"no pre-release":         {known: map[upgrade.Part]string{cloud: "1.2.901-rc.1 1.3.0-rc.1"}},
		"other tags are skipped": {known: map[upgrade.Part]string{server: "latest 2025.10 2025.10.202512010000.1 v2025.10.202512010000 sha256-ab.sig 2025.10.202511050000"}, want: upgrade.Versions{server: "2025.10.202511050000"}},
		"the ui without a pairing": {
			known: map[upgrade.Part]string{ui: "2025.902.154520 2025.1203.94520 2025.1203.154520"},
			notes: "ui: info: stays at 2025.1023.154520 although there is 2025.1203.154520: tags of the ui do not say which server they go with, and the catalog lists none for the release line; say --ui",
		},
		"the ui with a pairing": {
			lines: paired, known: map[upgrade.Part]string{ui: "2025.902.154520 2025.1203.94520 2025.1203.154520 2026.105.94520"},
			want: upgrade.Versions{ui: "2025.1203.154520"},
		},
		"tags that the catalog does not list": {
			lines: `- {name: "1.2", server: ["2025.10.20251104*"]}`, known: map[upgrade.Part]string{server: "2025.10.202511050000 2025.10.202511042350"},
			want: upgrade.Versions{server: "2025.10.202511042350"},
		},
		"tags that only the catalog knows": {
			lines:   `- {name: "1.2", server: ["2025.10.202511042343", "2025.10.202512010915"], ui: ["2025.1201.91500"]}`,
			unknown: true,
			want:    upgrade.Versions{server: "2025.10.202512010915", ui: "2025.1201.91500"},
			notes: `prefect-istiod: warning: stays at 1.2.900: no newer version is known, and not every registry lists its versions; --istiod names one
prefect-cloud: warning: stays at 1.2.900: no newer version is known, and not every registry lists its versions; --chart names one`,
		},
		"tags of the catalog that no registry has": {
			lines: `- {name: "1.2", server: ["2025.10.202512010915"]}`, known: map[upgrade.Part]string{server: "2025.10.202511042343"},
		},
		"no list": {
			unknown: true,
			notes: `prefect-istiod: warning: stays at 1.2.900: no newer version is known, and not every registry lists its versions; --istiod names one
prefect-cloud: warning: stays at 1.2.900: no newer version is known, and not every registry lists its versions; --chart names one
server: warning: stays at 2025.10.202511042343: no newer version is known, and not every registry lists its versions; --server names one
ui: info: stays at 2025.1023.154520: tags of the ui do not say which server they go with, and the catalog lists none for the release line; say --ui`,
		},
		"the newest in two texts": {
			lines: paired, known: map[upgrade.Part]string{ui: "2025.1105.094520 2025.1105.94520"},
			notes: `ui: warning: stays at 2025.1023.154520: "2025.1105.094520" and "2025.1105.94520" are the same numbers with different zeros: nothing says which of them is newer; --ui names one`,
		},
		"a newer one ends the doubt": {
			lines: paired, known: map[upgrade.Part]string{ui: "2025.1105.094520 2025.1105.94520 2025.1106.1"},
			want: upgrade.Versions{ui: "2025.1106.1"},
		},
		"the environment's own in another text": {
			now: upgrade.Versions{server: "2025.10.0202511042343"}, known: map[upgrade.Part]string{server: "2025.10.202511042343"},
			notes: `server: warning: stays at 2025.10.0202511042343: "2025.10.0202511042343" and "2025.10.202511042343" are the same numbers with different zeros: nothing says which of them is newer; --server names one`,
		},
		"a tag that is no version": {
			now: upgrade.Versions{server: "main-4711"}, known: map[upgrade.Part]string{server: "2025.10.202512010000"},
			notes: `server: warning: stays as it is: the tag "main-4711" is no version that can be compared: want numbers with dots between them, such as 2025.10.202511042343`,
		},
		"no istiod":              {now: upgrade.Versions{istiod: ""}, known: map[upgrade.Part]string{istiod: "1.2.901"}},
		"a chart with a digest":  {now: upgrade.Versions{cloud: "1.2.900@sha256:ab", istiod: "1.2.900@sha256:cd"}, known: map[upgrade.Part]string{cloud: "1.2.900 1.2.901", istiod: "1.2.900"}, want: upgrade.Versions{cloud: "1.2.901"}},
		"no line in the catalog": {now: upgrade.Versions{cloud: "7.1.0"}, known: map[upgrade.Part]string{cloud: "7.1.1 7.2.0"}, want: upgrade.Versions{cloud: "7.1.1"}},
		"a line of several minors": {
			lines: `- {name: "1.2", charts: {prefect-cloud: ">=1.2.0 <1.4.0", prefect-istiod: ">=1.2.0 <1.3.0"}}` + "\n" + `- {name: "1.3", charts: {prefect-cloud: ">=1.4.0 <1.5.0"}}`,
			known: map[upgrade.Part]string{cloud: "1.3.7 1.4.0", istiod: "1.2.950 1.3.7"}, want: upgrade.Versions{cloud: "1.3.7", istiod: "1.2.950"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			known := lists(tt.known)
			if tt.unknown {
				known = nil
			}
			before := over(now, tt.now)
			got, notes := upgrade.Choose(before, own(t, tt.lines), known, nil)
			if diff := cmp.Diff(over(before, tt.want), got); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, told(notes)); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

// over lays versions over others; an empty one takes the part away.
func over(versions, others upgrade.Versions) upgrade.Versions {
	all := upgrade.Versions{}
	for _, part := range upgrade.Parts() {
		version, said := others[part]
		if !said {
			version = versions[part]
		}
		if version != "" {
			all[part] = version
		}
	}
	return all
}

func told(notes []upgrade.Note) string {
	var lines []string
	for _, note := range notes {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", note.Part.Title(), note.Severity, note.Message))
	}
	return strings.Join(lines, "\n")
}

// TestChooseWanted looks at versions that a user names.
func TestChooseWanted(t *testing.T) {
	const elsewhere = `: "pm-gitops plan" plans upgrades to other lines`
	const lines = `- {name: "1.2", ui: ["2025.1023.*", "2025.11*"]}` + "\n" + `- {name: "1.3", server: ["2026.4.*"], ui: ["2026.4*"]}`
	known := lists(map[upgrade.Part]string{cloud: "1.2.900 1.2.901 1.3.4", istiod: "1.2.900 1.2.905", server: "2025.10.202511042343 2025.10.202512010915", ui: "2025.1023.154520 2025.1201.91500"})
	for name, tt := range map[string]struct {
		part    upgrade.Part
		want    string
		now     string
		known   upgrade.Known
		error   string
		warning string
	}{
		"newer":                  {part: server, want: "2025.10.202512010915", known: known},
		"unknown lists":          {part: server, want: "2025.10.202601010000"},
		"the same":               {part: cloud, want: "1.2.900", now: "1.2.900@sha256:ab", known: known},
		"the same, not listed":   {part: server, want: now[server], known: lists(nil)},
		"chart":                  {part: cloud, want: "1.2.901", known: known},
		"pre-release":            {part: cloud, want: "1.2.901-rc.1"},
		"istiod":                 {part: istiod, want: "1.2.905", known: known},
		"not an upgrade":         {part: server, want: "2025.10.202510010000", error: "2025.10.202510010000 is older than 2025.10.202511042343, which the environment has: a downgrade may need a restore of the database, and is no upgrade"},
		"older chart":            {part: cloud, want: "1.2.99", error: "1.2.99 is older than 1.2.900, which the environment has: a downgrade may need a restore of the database, and is no upgrade"},
		"older by pre-release":   {part: cloud, want: "1.2.900-rc.1", error: "1.2.900-rc.1 is older than 1.2.900, which the environment has: a downgrade may need a restore of the database, and is no upgrade"},
		"July's December patch":  {part: server, want: "2025.7.202512010000", error: "2025.7.202512010000 is of release line 2025.7, and 2025.10.202511042343 of 2025.10" + elsewhere},
		"next server":            {part: server, want: "2026.1.202601150930", error: "2026.1.202601150930 is of release line 2026.1, and 2025.10.202511042343 of 2025.10" + elsewhere},
		"line in another text":   {part: server, want: "2025.010.202512010000", error: `"2025.010" and "2025.10" are the same numbers with different zeros: nothing says which of them is newer`},
		"next chart":             {part: cloud, want: "1.3.4", error: `1.3.4 is of another release line than 1.2.900, which is of line "1.2", and that of line "1.3"` + elsewhere},
		"chart of no line":       {part: cloud, want: "1.9.0", error: `1.9.0 is of another release line than 1.2.900, which is of line "1.2"` + elsewhere},
		"without a catalog line": {part: cloud, want: "7.2.0", now: "7.1.0", error: `7.2.0 is of another release line than 7.1.0` + elsewhere},
		"next istiod":            {part: istiod, want: "1.3.4", error: `1.3.4 is of another release line than 1.2.900, which is of line "1.2"` + elsewhere},
		"ui of another line":     {part: ui, want: "2026.417.94520", error: `2026.417.94520 is of line "1.3" of the catalog, and the environment of line "1.2"` + elsewhere},
		"ui of no line":          {part: ui, want: "2025.1201.91500", warning: `2025.1201.91500 is not among the tags that the catalog lists for line "1.2": 2025.1023.* or 2025.11*`},
		"ui for server":          {part: server, want: "2025.1023.154520", error: "2025.1023.154520 has the form of tags of the ui: were --server and --ui swapped?"},
		"server for ui":          {part: ui, want: "2025.10.202511042343", error: "2025.10.202511042343 has the form of tags of the server: were --server and --ui swapped?"},
		"own form":               {part: server, want: "2025.1024.120000", now: "2025.1024.110000"},
		"no version":             {part: server, want: "release-7", error: `the tag "release-7" is no version that can be compared: want numbers with dots between them, such as 2025.10.202511042343`},
		"latest":                 {part: server, want: "latest", error: "want the tag of one build: latest may change at any time"},
		"no tag":                 {part: server, want: "a b", error: `want an image tag of letters, digits, ., _ and -, got "a b"`},
		"no chart version":       {part: cloud, want: "1.2", error: `want an exact chart version such as 1.2.3, got "1.2"`},
		"digest":                 {part: cloud, want: "1.2.901@sha256:" + strings.Repeat("a", 64), error: "want the version without its digest, which the registry says"},
		"build metadata":         {part: cloud, want: "1.2.900+1", error: `"1.2.900+1" and "1.2.900" are the same version: nothing says which of them is newer`},
		"other zeros":            {part: ui, want: "2025.1023.0154520", error: `"2025.1023.0154520" and "2025.1023.154520" are the same numbers with different zeros: nothing says which of them is newer`},
		"not to compare with":    {part: server, want: "2025.10.202511042343", now: "main-7", error: `the tag "main-7" is no version that can be compared: want numbers with dots between them, such as 2025.10.202511042343`},
		"no registry has it":     {part: server, want: "2025.10.202512010951", known: known, error: "no registry has 2025.10.202512010951: did you mean 2025.10.202512010915?"},
		"nothing near":           {part: server, want: "2025.10.999999999999", known: lists(nil), error: "no registry has 2025.10.999999999999"},
		"no istiod":              {part: istiod, want: "1.2.905", now: "-", error: "the environment does not have it: see mesh in its file"},
	} {
		t.Run(name, func(t *testing.T) {
			before := over(now, nil)
			if tt.now == "-" {
				before = over(now, upgrade.Versions{tt.part: ""})
			} else if tt.now != "" {
				before[tt.part] = tt.now
			}
			got, notes := upgrade.Choose(before, own(t, lines), tt.known, upgrade.Versions{tt.part: tt.want})
			after, want := over(before, nil), ""
			switch {
			case tt.error != "":
				want = tt.part.Title() + ": error: " + tt.error
			case !strings.HasPrefix(tt.now, tt.want+"@"):
				after[tt.part] = tt.want
			}
			if tt.warning != "" {
				want = tt.part.Title() + ": warning: " + tt.warning
			}
			if diff := cmp.Diff(after, got); diff != "" {
				t.Errorf("versions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, told(notes)); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChooseAllOrNothing wants every refusal at once, and nothing changed.
func TestChooseAllOrNothing(t *testing.T) {
	before := over(now, nil)
	got, notes := upgrade.Choose(before, catalog.Embedded(), nil, upgrade.Versions{server: "2025.10.202512010915", ui: "latest", cloud: "1.3.4"})
	if diff := cmp.Diff(now, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if len(notes) != 2 || notes[0].Part != cloud || notes[1].Part != ui || notes[0].Severity != finding.Error || notes[1].Severity != finding.Error {
		t.Errorf("notes:\n%s", told(notes))
	}
	got[server] = "changed"
	if before[server] != now[server] {
		t.Error("Choose gave its argument away")
	}
}
