package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// textOrJSON are the formats of most results, the default first.
var textOrJSON = []string{"text", "json"}

// addOutput adds the flag for the format of a result, by default the first.
func addOutput(cmd *cobra.Command, output *string, formats []string) {
	cmd.Flags().StringVarP(output, "output", "o", formats[0], "format: "+text.OneOf(formats))
	completeWith(cmd, "output", formats)
}

// checkOutput refuses other formats.
func checkOutput(output string, formats []string) error {
	if !slices.Contains(formats, output) {
		return usageError{fmt.Errorf("unknown format %q: want %s", output, text.OneOf(formats))}
	}
	return nil
}

// targetFlag is the delivery system that --target names. Where it was not given, each
// environment says its own.
type targetFlag struct {
	name  string
	given bool
}

// Set implements [pflag.Value].
func (t *targetFlag) Set(name string) error {
	*t = targetFlag{name, true}
	return nil
}

func (t *targetFlag) String() string { return t.name }

// Type implements [pflag.Value].
func (t *targetFlag) Type() string { return "string" }

// addTarget adds the flag for the delivery system.
func (a app) addTarget(cmd *cobra.Command, target *targetFlag) {
	names := a.targets.Names()
	cmd.Flags().VarP(target, "target", "t", "delivery system: "+text.OneOf(names)+" (default: what spec.delivery.target says, or else "+names[0]+")")
	completeWith(cmd, "target", names)
}

// target gives the choice of targets that the flag asks for, and refuses unknown names.
func (a app) target(flag targetFlag) (render.Choice, error) {
	if !flag.given {
		return a.targets.Choose(), nil
	}
	target, err := a.targets.ByName(flag.name)
	if err != nil {
		return nil, usageError{err}
	}
	return render.Only(target), nil
}

// completeWith completes a flag with these words.
func completeWith(cmd *cobra.Command, flag string, words []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// refuseEmpty refuses flags that were given an empty text.
func refuseEmpty(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if flag := cmd.Flag(name); flag.Changed && strings.Trim(flag.Value.String(), `[]" `) == "" {
			return fmt.Errorf("--%s is empty (unset variable?)", name)
		}
	}
	return nil
}

// replacedBy annotates a deprecated flag with the command that takes its place.
const replacedBy = "pm-gitops-replaced-by"

// deprecate hides a flag and names the command that takes its place.
func deprecate(cmd *cobra.Command, flag, command string) {
	_ = cmd.Flags().MarkHidden(flag)
	_ = cmd.Flags().SetAnnotation(flag, replacedBy, []string{command})
}

// suggestFlag adds to the error of an unknown flag which one was meant, or which
// command took its place.
func suggestFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	commands := map[string]string{}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		name := "--" + flag.Name
		names = append(names, name)
		if command := flag.Annotations[replacedBy]; command != nil {
			commands[name] = "pm-gitops " + command[0]
		}
	})
	near := text.Nearest("--"+unknown.GetSpecifiedName(), names)
	if command := commands[near]; command != "" {
		near = command
	}
	if near == "" {
		return err
	}
	return fmt.Errorf("%w: did you mean %s?", err, near)
}
