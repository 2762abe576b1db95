package charts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/ignore"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
)

// Folder is a folder with charts in it, packed and unpacked.
type Folder string

// Chart finds a chart as the archive NAME-VERSION.tgz, or unpacked in
// NAME-VERSION or NAME.
func (f Folder) Chart(ctx context.Context, wanted render.Chart) (Chart, error) {
	name := path.Base(wanted.Repository)
	var others []string
	for _, place := range []string{name + "-" + wanted.Version + ".tgz", name + "-" + wanted.Version, name} {
		found, err := f.open(ctx, place)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoChart):
			continue
		case err != nil:
			return Chart{}, fmt.Errorf("%s: %w", filepath.Join(string(f), place), err)
		case found.Name() == name && found.Version() == wanted.Version:
			found.Digest, found.packed.Digest = wanted.Digest, wanted.Digest
			return found, nil
		}
		others = append(others, fmt.Sprintf("%s holds %s %s", place, found.Name(), found.Version()))
	}
	missing := fmt.Sprintf("folder %s has no chart %s %s", string(f), name, wanted.Version)
	if others == nil {
		others = f.list(name)
	}
	return Chart{}, fmt.Errorf("%s: %s", missing, strings.Join(others, ", "))
}

// Named reads the chart at a path, an archive or an unpacked chart.
func Named(ctx context.Context, name string) (Chart, error) {
	own, err := Folder(filepath.Dir(name)).open(ctx, filepath.Base(name))
	if errors.Is(err, fs.ErrNotExist) {
		if _, there := os.Stat(name); there == nil {
			err = errors.New("it is no chart: want a folder with a Chart.yaml, or an archive .tgz")
		} else {
			err = errors.New("no such file or directory")
		}
	}
	if err != nil {
		return Chart{}, fmt.Errorf("read chart %s: %w", name, err)
	}
	return own, nil
}

// errNoChart is the error that a folder has no Chart.yaml.
var errNoChart = errors.New("no Chart.yaml in it")

// open reads the chart that lies at a place in the folder.
func (f Folder) open(ctx context.Context, place string) (Chart, error) {
	name := filepath.Join(string(f), place)
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return Chart{}, fs.ErrNotExist
	case info.IsDir():
		return openUnpacked(ctx, name)
	case !strings.HasSuffix(place, ".tgz"):
		return Chart{}, fs.ErrNotExist
	case !info.Mode().IsRegular():
		return Chart{}, errors.New("it is no plain file")
	}
	data, err := readAtMost(name, chart.MaxArchive)
	if err != nil {
		return Chart{}, err
	}
	return packed{Archive: data}.load(ctx)
}

// readAtMost reads a file, and of one that is larger one byte more than most.
func readAtMost(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most+1))
}

// maxNamed limits how many charts an error lists.
const maxNamed = 20

// list names the charts that a folder seems to have: those of a name, where
// there is one.
func (f Folder) list(name string) []string {
	entries, _ := os.ReadDir(string(f))
	var names []string
	for _, entry := range entries {
		_, err := os.Stat(filepath.Join(string(f), entry.Name(), "Chart.yaml"))
		if strings.HasSuffix(entry.Name(), ".tgz") || err == nil {
			names = append(names, entry.Name())
		}
	}
	if same := slices.DeleteFunc(slices.Clone(names), func(other string) bool { return !strings.HasPrefix(other, name+"-") }); len(same) > 0 {
		names = same
	}
	switch {
	case names == nil:
		return []string{"there is no chart in it"}
	case len(names) > maxNamed:
		names = append(names[:maxNamed], fmt.Sprintf("and %d more", len(names)-maxNamed))
	}
	names[0] = "there is " + names[0]
	return names
}

// openUnpacked reads the chart in a folder, without what its .helmignore names.
// Links lead nowhere outside of it.
func openUnpacked(ctx context.Context, dir string) (Chart, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Chart{}, errors.Unwrap(err)
	}
	defer root.Close()
	if _, err := root.Stat("Chart.yaml"); err != nil {
		return Chart{}, errNoChart
	}
	rules := ignore.Empty()
	if data, err := root.ReadFile(ignore.HelmIgnore); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return Chart{}, fmt.Errorf("read %s: %w", ignore.HelmIgnore, err)
		}
	}
	rules.AddDefaults()
	files, err := readFiles(root, rules)
	if err != nil {
		return Chart{}, err
	}
	return packed{Files: files}.load(ctx)
}

// readFiles reads the files of an unpacked chart, no more than a chart may have.
func readFiles(root *os.Root, rules *ignore.Rules) (map[string][]byte, error) {
	files, total := map[string][]byte{}, 0
	return files, fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := root.Stat(name)
		switch {
		case err != nil:
			return fmt.Errorf("read %s: %w", name, errors.Unwrap(err))
		case rules.Ignore(name, info) && entry.IsDir():
			return fs.SkipDir
		case rules.Ignore(name, info), entry.IsDir():
			return nil
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is no plain file", name)
		case info.Size() > chart.MaxFile:
			return fmt.Errorf("%s has %d bytes: at most %d are read", name, info.Size(), chart.MaxFile)
		case len(files) >= chart.MaxFiles:
			return fmt.Errorf("the chart has more than %d files", chart.MaxFiles)
		case total > chart.MaxTotal:
			return fmt.Errorf("the chart's files have more than %d bytes", chart.MaxTotal)
		}
		files[name], err = root.ReadFile(name)
		total += len(files[name])
		return err
	})
}
