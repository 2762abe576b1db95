package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/targets"
)

// input is the flags that say which environment a command is about.
type input struct {
	file    string
	catalog string
}

func (in *input) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&in.file, "file", "f", "environment.yaml", "environment file, or - for standard input")
	cmd.Flags().StringVar(&in.catalog, "catalog", "", "catalog file that adds release lines or corrects them")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
	_ = cmd.MarkFlagFilename("catalog", "yaml", "yml")
}

// addTarget adds the flag for the delivery system.
func addTarget(cmd *cobra.Command, target *string) {
	cmd.Flags().StringVarP(target, "target", "t", "flux", "delivery system: "+render.OneOf(targets.Names()))
	_ = cmd.RegisterFlagCompletionFunc("target", cobra.FixedCompletions(targets.Names(), cobra.ShellCompDirectiveNoFileComp))
}

// environment reads the environment that the flags name, and the catalog with
// what the environment and the flags add to it.
func (a app) environment(ctx context.Context, in input) (render.Environment, catalog.Catalog, error) {
	if in.file == "" {
		return render.Environment{}, catalog.Catalog{}, usageError{errors.New("--file wants a text: a variable that is not set, maybe?")}
	}
	data, err := a.read(ctx, in.file)
	if err != nil {
		return render.Environment{}, catalog.Catalog{}, err
	}
	readBeside, name := insideRepository(in.file), in.file
	if name == "-" {
		name = "<stdin>"
	}
	env, err := render.Parse(name, data, readBeside)
	if err != nil {
		return env, catalog.Catalog{}, err
	}
	cat := catalog.Embedded()
	if name := env.CatalogFile(); name != "" {
		data, err := readBeside(name)
		if err != nil {
			return env, cat, render.Problems{env.Problem("spec.catalog", "%s", err)}
		}
		if cat, err = extend(cat, name, data); err != nil {
			return env, cat, err
		}
	}
	if in.catalog != "" {
		data, err := a.read(ctx, in.catalog)
		if err != nil {
			return env, cat, err
		}
		cat, err = extend(cat, in.catalog, data)
		return env, cat, err
	}
	return env, cat, nil
}

// plan reads the environment that the flags name and plans it for a target.
func (a app) plan(ctx context.Context, in input, target render.Target) (render.Plan, error) {
	env, cat, err := a.environment(ctx, in)
	if err != nil {
		return render.Plan{}, err
	}
	if env.IsDefaults() {
		return render.Plan{}, fmt.Errorf("%s holds defaults that environments extend: it is no environment itself", in.file)
	}
	plan, err := render.NewPlan(env, cat, target.SecretsInto())
	if err != nil {
		return plan, err
	}
	a.warn(plan.Warnings)
	return plan, nil
}

func extend(cat catalog.Catalog, name string, data []byte) (catalog.Catalog, error) {
	other, err := catalog.Parse(name, data)
	if err != nil {
		return cat, err
	}
	return cat.With(other), nil
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
	if errors.Is(err, fs.ErrNotExist) && name == "environment.yaml" {
		return nil, hinted{errors.New("there is no environment.yaml here"), "Write one with `pm-gitops init`, or name yours with -f FILE."}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, errors.Unwrap(err))
	}
	return data, nil
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
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if strings.HasPrefix(start+string(filepath.Separator), working+string(filepath.Separator)) {
		return working, nil
	}
	return start, nil
}
