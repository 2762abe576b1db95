package roadmap

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/pm-gitops/pm-gitops/render/text"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
	"github.com/pm-gitops/pm-gitops/templates"
)

// HTML writes the report as one page that needs no network and runs no script.
func (r Report) HTML() ([]byte, error) {
	page, err := template.New("plan").Funcs(template.FuncMap{"add": func(a, b int) int { return a + b }}).Parse(templates.Plan)
	if err != nil {
		return nil, fmt.Errorf("write the plan as HTML: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, r); err != nil {
		return nil, fmt.Errorf("write the plan as HTML: %w", err)
	}
	return []byte(text.VisibleLines(out.String())), nil
}

// Name is the environment, with the release if the roadmap is about one.
func (r Roadmap) Name() string { return r.name() }

// GoalName names the goal.
func (r Roadmap) GoalName() string { return r.goal() }

// Todos is what to do before the next hop.
func (r Roadmap) Todos() []Todo { return r.todo() }

// Notes is the remarks that ask nothing of a person.
func (r Roadmap) Notes() []upgrade.Remark { return notes(r.Remarks) }

// Notes is the remarks that ask nothing of a person.
func (h Hop) Notes() []upgrade.Remark { return notes(h.Remarks) }

// Gaps says which part of the comparison is missing.
func (c Chart) Gaps() []string { return c.gaps() }

// Shown gives the effects that people want to see.
func (c Chart) Shown() []Effect { return c.shown() }

// Head is the title of the step, with its limit of time.
func (s Step) Head() string { return s.head() }
