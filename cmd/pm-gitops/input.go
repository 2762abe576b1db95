package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// input is the flags that say which environments a command is about.
type input struct {
	files   []string
	catalog string
	only    []string // names of environments; all of them if empty
	recurse bool
	jobs    int
	tree    fs.FS // the files are those of a commit; nil if they are this machine's

	progress *progress // of the work on them; may be nil
}

// defaultFile is the environment file where none is named.
const defaultFile = "environment.yaml"

func (a app) addInput(cmd *cobra.Command, in *input) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&in.files, "file", "f", []string{defaultFile}, "environment `file`, folder or pattern such as 'environments/*.yaml', or - for standard input; may be repeated")
	flags.BoolVarP(&in.recurse, "recursive", "R", false, "take the folders of --file with the folders in them")
	flags.StringArrayVarP(&in.only, "environment", "e", nil, "only the environment of this `name`; may be repeated")
	flags.StringVar(&in.catalog, "catalog", "", "catalog `file` that adds release lines or corrects them")
	flags.IntVarP(&in.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many environments to work on at a time")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
	_ = cmd.MarkFlagFilename("catalog", "yaml", "yml")
	_ = cmd.RegisterFlagCompletionFunc("environment", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return a.environmentNames(cmd.Context(), *in), cobra.ShellCompDirectiveNoFileComp
	})
}

// addTarget adds the flag for the delivery system.
func (a app) addTarget(cmd *cobra.Command, target *string) {
	names := a.targets.Names()
	cmd.Flags().StringVarP(target, "target", "t", names[0], "delivery system: "+text.OneOf(names))
	_ = cmd.RegisterFlagCompletionFunc("target", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}

// load parses an environment file, and gives the catalog that goes with it:
// the program's own, with what the environment adds to it and, over that, what
// the flags add.
func (in input) load(file string, data []byte, over catalog.Catalog) (render.Environment, catalog.Catalog, error) {
	cat, readBeside := catalog.Embedded(), in.beside(file)
	if file == "-" {
		file = "<stdin>"
	}
	env, err := render.Parse(file, data, readBeside)
	if err != nil {
		return env, cat, err
	}
	if name := env.CatalogFile(); name != "" {
		data, err := readBeside(name)
		if err != nil {
			return env, cat, render.Problems{env.Problem("spec.catalog", "%s", err)}
		}
		own, err := catalog.Parse(name, data)
		if err != nil {
			return env, cat, err
		}
		cat = cat.With(own)
	}
	return env, cat.With(over), nil
}

// catalogOf reads the catalog that --catalog names, empty if it names none.
func (a app) catalogOf(ctx context.Context, in input) (catalog.Catalog, error) {
	if in.catalog == "" {
		return catalog.Catalog{}, nil
	}
	data, err := a.readNamed(ctx, in, in.catalog)
	if err != nil {
		return catalog.Catalog{}, err
	}
	return catalog.Parse(in.catalog, data)
}

// readNamed reads a file that the flags name.
func (a app) readNamed(ctx context.Context, in input, name string) ([]byte, error) {
	if in.tree != nil {
		return in.readCommitted(name)
	}
	return a.read(ctx, name)
}

// read reads a file that the user named, unless the user gives up first:
// standard input and named pipes may never end.
func (a app) read(ctx context.Context, name string) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := a.readWhole(name)
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("read %s: %w", name, ctx.Err())
	case r := <-done:
		return r.data, r.err
	}
}

func (a app) readWhole(name string) ([]byte, error) {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(a.in, mostRead))
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return data, nil
	}
	data, err := readSome(name)
	if errors.Is(err, fs.ErrNotExist) && name == defaultFile {
		return nil, hinted{errors.New("there is no environment.yaml here"), "Write one with `pm-gitops init`, or name yours with -f FILE."}
	}
	if err != nil {
		err = fmt.Errorf("read %s: %w", name, errors.Unwrap(err))
		if hint := unexpanded(name); hint != "" {
			err = hinted{err, hint}
		}
		return nil, err
	}
	return data, nil
}

// unexpanded is what to do about a path that holds what a shell would have
// replaced, had it not been in quotes or come from a file.
func unexpanded(name string) string {
	if strings.HasPrefix(name, "~") || strings.Contains(name, "$") {
		return "~ and $ in a path are the shell's to replace: take them out of single quotes, and write --flag ~/… with a space."
	}
	return ""
}

// mostRead is more than any file that we accept has.
const mostRead = 32 << 20

// readSome reads a file, but no more than mostRead: devices and pipes may have no end.
func readSome(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, mostRead))
}

// insideRepository reads the files that an environment file names, relative
// to the working directory like the environment file's own name, as long as
// they lie in the repository that holds it: its Git repository, or without
// one the working directory.
func insideRepository(file string) render.ReadFile {
	return func(name string) ([]byte, error) {
		top, err := repositoryOf(file)
		if err != nil {
			return nil, err
		}
		path, err := filepath.Abs(filepath.FromSlash(name))
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		inside, err := filepath.Rel(top, path)
		if err != nil || !filepath.IsLocal(inside) {
			return nil, fmt.Errorf("%s lies outside the repository %s", name, top)
		}
		root, err := os.OpenRoot(top)
		if err != nil {
			return nil, fmt.Errorf("open the repository: %w", err)
		}
		defer root.Close()
		if info, err := root.Stat(inside); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("read %s: it is no plain file", name)
		}
		data, err := root.ReadFile(inside)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, errors.Unwrap(err))
		}
		return data, nil
	}
}

// repositoryOf is the closest folder above a file that holds a .git, or the
// working directory.
func repositoryOf(file string) (string, error) {
	working, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	start := working
	if file != "-" {
		if start, err = filepath.Abs(filepath.Dir(file)); err != nil {
			return "", fmt.Errorf("find %s: %w", file, err)
		}
	}
	if top := gitAbove(start); top != "" {
		return top, nil
	}
	if strings.HasPrefix(start+string(filepath.Separator), working+string(filepath.Separator)) {
		return working, nil
	}
	return start, nil
}

// gitAbove is the closest folder that holds a .git, from an absolute one
// upwards; empty if there is none.
func gitAbove(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
