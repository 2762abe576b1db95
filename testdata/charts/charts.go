// Package charts is the stand-ins for the vendor's charts: prefect-cloud and
// prefect-istiod in six versions, which behave as the vendor's guide and public
// pages describe, and contain nothing of the vendor's. README.md says what of
// them is documented and what is invented.
//
// One version is stored whole; another is what it changes on one before it:
//
//	NAME           is this version's, whether the other has it or not
//	NAME.deleted   is not in this version
//	NAME.edits     is the other's NAME with texts replaced
package charts

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// The charts.
const (
	Cloud  = "prefect-cloud"
	Istiod = "prefect-istiod"
)

//go:embed all:prefect-cloud all:prefect-istiod
var stored embed.FS

// parents has, for every version, the one that it is a change of. Both charts
// have the same versions.
var parents = map[string]string{
	"0.8.900": "1.2.900", // the line before: addresses at the top, the old name of the Ingress
	"1.2.900": "",        // exactly the guide's values
	"1.2.901": "1.2.900", // a patch: other image tags
	"1.3.900": "1.2.900", // the next line: breaking, and says so
	"1.3.901": "1.3.900", // the same without schema and guards
	"1.4.900": "1.3.900", // one more line
}

// Versions is the versions of a chart in upgrade order; none of another chart.
func Versions(chart string) []string {
	if chart != Cloud && chart != Istiod {
		return nil
	}
	return slices.Sorted(maps.Keys(parents)) // one digit each: alphabetical is in order
}

// Files is the unpacked chart: path below the chart's folder to content. The
// caller may change what it gets.
func Files(chart, version string) (map[string][]byte, error) {
	if !slices.Contains(Versions(chart), version) {
		return nil, fmt.Errorf("no stand-in for chart %s %s", chart, version)
	}
	files := map[string][]byte{}
	if parent := parents[version]; parent != "" {
		var err error
		if files, err = Files(chart, parent); err != nil {
			return nil, err
		}
	}
	overlay, err := folder(path.Join(chart, version))
	if err != nil {
		return nil, err
	}
	if err := lay(overlay, files); err != nil {
		return nil, fmt.Errorf("chart %s %s: %w", chart, version, err)
	}
	return files, nil
}

// Chart is the chart as Helm loads it, its sub-charts included.
func Chart(name, version string) (*chart.Chart, error) {
	files, err := Files(name, version)
	if err != nil {
		return nil, err
	}
	return Load(files)
}

// Load is what [Files] or [Variant] returned, as Helm loads it.
func Load(files map[string][]byte) (*chart.Chart, error) {
	var buffered []*loader.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		buffered = append(buffered, &loader.BufferedFile{Name: name, Data: files[name]})
	}
	return loader.LoadFiles(buffered)
}

// folder is the stored files below a folder.
func folder(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(stored, dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := stored.ReadFile(name)
		files[strings.TrimPrefix(name, dir+"/")] = data
		return err
	})
	return files, err
}

// lay changes files as the overlay says.
func lay(overlay, files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(overlay)) {
		of, isEdits := strings.CutSuffix(name, ".edits")
		gone, isDeleted := strings.CutSuffix(name, ".deleted")
		switch {
		case isEdits:
			edited, err := edit(string(files[of]), string(overlay[name]))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			files[of] = []byte(edited)
		case isDeleted && files[gone] == nil:
			return fmt.Errorf("%s: there is nothing to delete", name)
		case isDeleted:
			delete(files, gone)
		default:
			files[name] = overlay[name]
		}
	}
	return nil
}

// The lines that introduce the two texts of a replacement. A text is whole lines.
const (
	oldLine = "-- old --\n"
	newLine = "-- new --\n"
)

// edit makes the replacements one after the other. The old text must be there
// exactly once, so that an edit cannot silently go stale.
func edit(text, edits string) (string, error) {
	replacements := strings.Split(edits, oldLine)[1:] // what comes before is a comment
	if len(replacements) == 0 {
		return "", fmt.Errorf("no line %q", oldLine)
	}
	for _, replacement := range replacements {
		from, to, found := strings.Cut(replacement, newLine)
		if !found {
			return "", fmt.Errorf("no line %q after %q", newLine, from)
		}
		if n := strings.Count(text, from); n != 1 {
			return "", fmt.Errorf("want once, found %d times: %q", n, from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	return text, nil
}
