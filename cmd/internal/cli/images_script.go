package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/cmd/internal/parallel"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// copyScript writes a shell script that copies what is needed to the mirrors, and
// what it cannot do.
func copyScript(plans []render.Plan, all needs) (script []byte, problems []string) {
	var names []string
	for _, plan := range plans {
		names = append(names, plan.Environment)
	}
	var text strings.Builder
	text.WriteString("#!/bin/sh\n" + comment("Copies what "+strings.Join(dropRepeated(names), ", ")+" needs to where it is pulled from.") +
		"# It needs crane, logged in to all registries; digests stay as they are.\nset -eu\n\n")
	var written []string
	write := func(copies []imageCopy, isPossible bool) {
		for _, one := range copies {
			if one.Problem != "" && !isPossible {
				problems = append(problems, one.Problem)
				text.WriteString(comment(one.Problem))
			}
			line := fmt.Sprintf("crane copy %s %s\n", quote(one.sourceText()), quote(one.Target))
			switch {
			case one.Source == "" || slices.Contains(written, line):
			case isPossible:
				text.WriteString(comment("possible: " + strings.TrimSuffix(line, "\n")))
			default:
				text.WriteString(line)
				written = append(written, line)
			}
		}
	}
	for _, image := range all.Images {
		if image.Problem != "" {
			problem := image.Problem + ", in " + listUses(image.Uses, len(plans) > 1)
			problems = append(problems, problem)
			text.WriteString(comment(problem))
		}
		write(image.Copies, image.Sure == string(images.Possible))
	}
	for _, chart := range all.Charts {
		write(chart.Copies, false)
	}
	return []byte(text.String()), dropRepeated(problems)
}

// comment makes a line of a script that does nothing, whatever the line says.
func comment(line string) string { return "# " + text.Visible(line) + "\n" }

// quote writes a text as one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// sourceText names the source of a copy, by its digest where that is known.
func (c imageCopy) sourceText() string {
	if c.digest == "" {
		return c.Source
	}
	return c.Source[:strings.LastIndex(c.Source, ":")] + "@" + c.digest
}

// question is a reference whose digest is asked for, and where it goes.
type question struct {
	reference string
	or        string // is asked if there is no answer; empty for nothing
	must      bool   // no answer is an error
	answer    func(digest string)
}

// resolve asks for the digests of all images that none pins: for a script of
// those that are copied, else of those that are pulled. For what may be no
// image, no answer is only noted. For a lock what a mirror lacks is asked for where it
// comes from.
func (a app) resolve(ctx context.Context, o imagesOptions, all *needs) error {
	client, err := a.registry(o.chartFlags)
	if err != nil {
		return err
	}
	questions := all.listQuestions(o.output == "script", o.lock)
	digests, failures := make([]string, len(questions)), make([]error, len(questions))
	parallel.Each(max(o.jobs, 8), len(questions), func(i int) {
		q := questions[i]
		if digests[i], failures[i] = client.Digest(ctx, q.reference); failures[i] != nil && q.or != "" {
			if digest, err := client.Digest(ctx, q.or); err == nil {
				digests[i], failures[i] = digest, nil
			}
		}
	})
	var missing []error
	for i, q := range questions {
		switch {
		case failures[i] == nil:
			q.answer(digests[i])
		case q.must:
			missing = append(missing, failures[i])
		default:
			a.err.Say("note: %s", failures[i])
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(missing...)
}

// listQuestions lists the images and charts whose digests are asked for.
func (n *needs) listQuestions(script, lock bool) []question {
	var all []question
	ask := func(copies []imageCopy, must bool) {
		for i := range copies {
			if source := copies[i].Source; source != "" && !strings.Contains(source, "@") {
				all = append(all, question{source, "", must, func(digest string) { copies[i].digest = digest }})
			}
		}
	}
	for _, image := range n.Images {
		must := image.Sure == string(images.Certain) || lock && image.Sure == string(images.Likely)
		switch {
		case image.Problem != "" || image.Pinned():
		case script:
			ask(image.Copies, must)
		default:
			or := ""
			if lock && len(image.Copies) > 0 {
				or = image.Copies[0].Source
			}
			all = append(all, question{image.Image, or, must, func(digest string) { image.Resolved = digest }})
		}
	}
	if script {
		for _, chart := range n.Charts {
			ask(chart.Copies, true)
		}
	}
	return slices.Clip(all)
}
