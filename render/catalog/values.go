package catalog

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/pm-gitops/pm-gitops/render/internal/strictyaml"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// Range is a semver range of chart versions, such as ">=1.2.0 <1.3.0".
type Range string

// Validate refuses what is no semver range.
func (r Range) Validate() error {
	if _, err := semver.NewConstraint(string(r)); err != nil {
		return fmt.Errorf("want a semver range such as %q, got %s", ">=1.2.0 <1.3.0", text.Quoted(string(r)))
	}
	return nil
}

// Contains reports whether an exact version lies in the range. A pre-release
// belongs where its release will: 1.3.0-rc.1 to the line of 1.3.0.
func (r Range) Contains(version string) bool {
	constraint, err := semver.NewConstraint(string(r))
	if err != nil || r == "" {
		return false
	}
	v, err := semver.NewVersion(version)
	return err == nil && constraint.Check(semver.New(v.Major(), v.Minor(), v.Patch(), "", ""))
}

// Pattern is an image tag in which * stands for any text.
type Pattern string

// Validate refuses a pattern that cannot match.
func (p Pattern) Validate() error {
	if _, err := path.Match(string(p), ""); err != nil {
		return fmt.Errorf("want an image tag or a pattern such as %q, got %s", "2025.10.*", text.Quoted(string(p)))
	}
	return nil
}

// Matches reports whether a tag fits the pattern.
func (p Pattern) Matches(tag string) bool {
	ok, _ := path.Match(string(p), tag)
	return ok
}

// ValuePath is a dotted chart value such as global.frontendUrl.
type ValuePath string

// Validate refuses empty keys and what kustomize takes for a directive.
func (p ValuePath) Validate() error {
	for _, key := range strings.Split(string(p), ".") {
		if key == "" || strings.ContainsAny(key, "[]$ \t\"'") {
			return fmt.Errorf("want dotted keys such as global.frontendUrl, got %s", text.Quoted(string(p)))
		}
	}
	return nil
}

// Timeout is a positive Go duration.
type Timeout string

// Validate refuses what is no length of time.
func (t Timeout) Validate() error {
	if d, err := time.ParseDuration(string(t)); err != nil || d <= 0 {
		return fmt.Errorf("want a length of time such as 30m, got %s", text.Quoted(string(t)))
	}
	return nil
}

// Conditions all hold, or the rule does not apply. In a file it is a string
// or a list of strings.
type Conditions []Condition

// Condition is NAME (the field is set), !NAME (it is not), or NAME=VALUE.
type Condition struct {
	Field string
	Not   bool
	Value string // with Equal: what the field must say
	Equal bool
}

// String is the condition as a catalog has it.
func (c Condition) String() string {
	text := c.Field
	if c.Not {
		text = "!" + text
	}
	if c.Equal {
		text += "=" + c.Value
	}
	return text
}

// UnmarshalValue reads a condition or a list of them.
func (c *Conditions) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	items := []*strictyaml.Value{v}
	if v.Kind == strictyaml.Sequence {
		items = v.Items
	}
	for _, item := range items {
		if item.Kind != strictyaml.Scalar || item.Text == "" {
			return strictyaml.Problems{{Position: item.Position, Path: path, Message: "want a condition: NAME, !NAME or NAME=VALUE"}}
		}
		var condition Condition
		text := item.Text
		text, condition.Not = strings.CutPrefix(text, "!")
		condition.Field, condition.Value, condition.Equal = strings.Cut(text, "=")
		*c = append(*c, condition)
	}
	return nil
}

// Settings is dotted chart values and what they become: text, true, false, a number or a list.
type Settings map[string]any

// UnmarshalValue reads a mapping of chart values.
func (s *Settings) UnmarshalValue(v *strictyaml.Value, path string) strictyaml.Problems {
	settings, problems := map[string]any{}, strictyaml.Problems(nil)
	if v.Kind != strictyaml.Mapping {
		return strictyaml.Problems{{Position: v.Position, Path: path, Message: "want a mapping of chart values, got " + strictyaml.Describe(v)}}
	}
	for _, entry := range v.Entries {
		at := strictyaml.Join(path, entry.Key)
		if err := ValuePath(entry.Key).Validate(); err != nil {
			problems = append(problems, strictyaml.Problem{Position: entry.Position, Path: at, Message: err.Error()})
		}
		value, p := strictyaml.Plain(entry.Value, at)
		settings[entry.Key] = value
		problems = append(problems, p...)
	}
	*s = settings
	return problems
}
