package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/render/edit"
)

type setOptions struct {
	input
	target                  targetFlag
	texts, removed, renamed []string
	dryRun                  bool
	output                  string
}

func (a app) setCommand() *cobra.Command {
	var o setOptions
	cmd := &cobra.Command{
		Use:   "set PATH=VALUE…",
		Short: "Edit an environment file in place",
		Long: `Set edits values of an environment file, and nothing else in it: comments,
order, quotes, indentation and line ends stay. All edits of a run are made, or
none. The edited environment must be valid, or at least have no new mistakes.

PATH is a field as validate and check print it, such as
spec.releases[0].version, or as helm --set takes it; a\.b or ["a.b"] is a key
with a dot, and releases[worker] the item of that name. PATH+=VALUE appends to
a list. VALUE is YAML: true, 5 and {a: [b]} are what they look like, and a text
that looks like something else goes into quotes, or into --string. A text field
of the environment takes a number as you write it. null removes the key.

A value is edited where it is written: in the file itself, or else in the file
that it extends. Then set names the other files that extend that one, and
checks them too. A new value goes into the file itself.`,
		Example: `  pm-gitops set spec.versions.server=2025.11.202511120000 spec.versions.ui=2025.1112.090000
  pm-gitops set -f environments/prod.yaml spec.registry.mirror=registry.company.com/prefect --dry-run
  pm-gitops set spec.values.prefect-cloud.services.server.replicas=3
  pm-gitops set --string 'spec.values.prefect-cloud.podLabels["company.com/cost-center"]=0815'
  pm-gitops set spec.cluster.apiVersions+=monitoring.coreos.com/v1
  pm-gitops set --remove spec.redis`,
		Args: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, args []string) error { return a.set(cmd.Context(), o, args) },
	}
	a.addInput(cmd, &o.input)
	a.addTarget(cmd, &o.target)
	flags := cmd.Flags()
	flags.Lookup("file").Usage = "environment `file` to edit, or a folder or pattern with --environment for the one file in it"
	flags.StringArrayVar(&o.texts, "string", nil, "`PATH=VALUE` with a value that is a text, whatever it looks like; may be repeated")
	flags.StringArrayVar(&o.removed, "remove", nil, "`PATH` of a key or an item to take out; may be repeated")
	flags.StringArrayVar(&o.renamed, "move", nil, "`PATH=PATH` of a key now and afterwards; may be repeated")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the differences as a unified diff, and write nothing")
	addOutput(cmd, &o.output, textOrJSON)
	complete := func(suffix string) cobra.CompletionFunc {
		return func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
			return a.completePaths(cmd.Context(), o.input, prefix, suffix), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
	}
	cmd.ValidArgsFunction = complete("=")
	_ = cmd.RegisterFlagCompletionFunc("string", complete("="))
	_ = cmd.RegisterFlagCompletionFunc("move", complete("="))
	_ = cmd.RegisterFlagCompletionFunc("remove", complete(""))
	return cmd
}

func (a app) set(ctx context.Context, o setOptions, args []string) error {
	edits, err := o.edits(args)
	if err = errors.Join(checkOutput(o.output, textOrJSON), err); err != nil {
		return err
	}
	target, err := a.target(o.target)
	if err != nil {
		return err
	}
	request, err := o.request(a)
	if err != nil {
		return err
	}
	env, err := request.Editable(ctx)
	if err != nil {
		return hintRead(err)
	}
	var result edited
	if result.changes, err = env.Apply(edits...); err != nil {
		return err
	}
	result.files = env.Files()
	if err := result.findOthers(env.IsDefaults()); err != nil {
		return err
	}
	replacements := result.replacements()
	if err := folder.CheckReplace(replacements); err != nil {
		return err
	}
	if err := a.checkEdited(ctx, request, target, result); err != nil {
		return err
	}
	if !o.dryRun {
		if err := folder.Replace(ctx, replacements); err != nil {
			return err
		}
	}
	return a.tellEdited(o, result)
}

// edits reads the edits that the command line asks for, and says everything that is
// wrong with them at once.
func (o setOptions) edits(args []string) ([]edit.Edit, error) {
	var edits []edit.Edit
	var wrong []error
	add := func(text string, read func(path, value string) (edit.Edit, error)) {
		path, value, ok := edit.Cut(text)
		if !ok {
			path, _, _ = strings.Cut(text, "=") // what is behind it may be a secret
			wrong = append(wrong, usageError{fmt.Errorf("want PATH=VALUE, got %q", beforeValue(path))})
			return
		}
		err := edit.CheckText(value)
		var e edit.Edit
		if err == nil {
			e, err = read(path, value)
		}
		if err != nil {
			wrong = append(wrong, usageError{fmt.Errorf("%s: %w", path, err)})
		}
		edits = append(edits, e)
	}
	for _, arg := range args {
		add(arg, readAssignment)
	}
	for _, text := range o.texts {
		add(text, func(path, value string) (edit.Edit, error) {
			op, path := opOf(path)
			return edit.Edit{Op: op, Path: path, Value: edit.Text(value)}, nil
		})
	}
	for _, text := range o.renamed {
		add(text, func(path, to string) (edit.Edit, error) {
			return edit.Edit{Op: edit.Move, Path: path, To: to}, nil
		})
	}
	for _, path := range o.removed {
		edits = append(edits, edit.Edit{Op: edit.Remove, Path: path})
	}
	if len(edits)+len(wrong) == 0 {
		return nil, hinted{usageError{errors.New("nothing to set: want PATH=VALUE, such as spec.versions.server=2025.11.202511120000")}, "See pm-gitops set --help."}
	}
	return edits, errors.Join(wrong...)
}

// beforeValue gives what is no value in an argument without a = : a secret may stand
// behind a colon or a blank.
func beforeValue(text string) string {
	if end := strings.IndexAny(text, ": \t\r\n"); end >= 0 {
		return text[:end] + "…"
	}
	return text
}

// opOf takes the + of PATH+=VALUE from a path.
func opOf(path string) (edit.Op, string) {
	if shorter, appends := strings.CutSuffix(path, "+"); appends {
		return edit.Append, shorter
	}
	return edit.Set, path
}

// readAssignment reads a value as YAML. No error repeats it.
func readAssignment(path, text string) (edit.Edit, error) {
	e := edit.Edit{}
	e.Op, e.Path = opOf(path)
	if strings.TrimSpace(text) == "" {
		return e, fmt.Errorf(`the value is empty (unset variable?): an empty text is %s='""'`, path)
	}
	var err error
	if e.Value, err = edit.YAML(text); err != nil {
		return e, fmt.Errorf("%w; a text goes into --string", err)
	}
	if e.Value.HasComment(text) {
		return e, errors.New("a # behind a blank begins a comment: put the value into quotes, or into --string")
	}
	if !e.Value.IsAsWritten(text) {
		return e, errors.New("YAML takes the value for something else than it looks like: a text goes into --string, a mapping into {}, a list into []")
	}
	if e.Value.IsNull() && e.Op == edit.Set {
		e.Op = edit.Remove
	}
	return e, nil
}

// edited is the files that edits changed, and what else changes with them.
type edited struct {
	changes []edit.Change
	files   []edit.File // of the environment: its own first
	others  []string    // the other files that extend what changed
	unknown []error     // why that could not be told of others
}

// changed gives the files that have new content.
func (e edited) changed() []edit.File {
	return slices.DeleteFunc(slices.Clone(e.files), func(f edit.File) bool { return string(f.Old) == string(f.New) })
}

// writes reports whether an edit wrote the value of a field, or one that it lies in.
func (e edited) writes(field string) bool {
	return slices.ContainsFunc(e.changes, func(c edit.Change) bool {
		rest, isBelow := strings.CutPrefix(field, cmp.Or(c.To, c.Path))
		return c.Op != edit.Remove && isBelow && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// findOthers looks for the other files that the edits change: those that extend one
// that is edited. Defaults says that others may extend the environment's own.
func (e *edited) findOthers(defaults bool) (err error) {
	var shared []string
	for _, f := range e.changed() {
		if f.Name != e.files[0].Name || defaults {
			shared = append(shared, f.Name)
		}
	}
	if len(shared) > 0 {
		e.others, e.unknown, err = fleet.Extending(e.files[0].Name, shared)
	}
	return err
}

func (e edited) replacements() []folder.Replacement { return replacements(e.changed()) }

func replacements(files []edit.File) []folder.Replacement {
	var all []folder.Replacement
	for _, f := range files {
		all = append(all, folder.Replacement{Name: filepath.FromSlash(f.Name), Old: f.Old, New: f.New})
	}
	return all
}
