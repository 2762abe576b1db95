package finding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// groupAlike puts findings into groups that differ in their objects alone: what
// one value ends is read once. Groups are in the order of their first findings.
func groupAlike(findings []Finding) [][]Finding {
	type same struct {
		severity                                              Severity
		id, environment, release, message, setting, file, fix string
		ignored                                               string
	}
	var groups [][]Finding
	places := map[same]int{}
	for _, f := range findings {
		key := same{f.Severity, f.ID, f.Environment, f.Release, f.Message, f.Setting, f.File, describeFix(f), f.Ignored}
		i, known := places[key]
		if !known {
			i = len(groups)
			places[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// maxOthers limits how many objects are listed behind the first: more are not read.
const maxOthers = 20

// listOthers lists the objects of a group behind the first.
func listOthers(alike []Finding) string {
	var names []string
	for _, f := range alike[1:] {
		name := f.Source
		if f.Object != nil {
			name = f.Object.String()
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > maxOthers {
		names = append(names[:maxOthers], fmt.Sprintf("and %d more", len(names)-maxOthers))
	}
	return strings.Join(names, ", ")
}

// nameOwner names the environment and the release of a finding.
func nameOwner(f Finding) string { return strings.TrimSpace(f.Environment + " " + f.Release) }

// nameObject names the object of a finding and the field in it, or the template.
func nameObject(f Finding) string {
	switch {
	case f.Object == nil:
		return f.Source
	case f.Field == "":
		return f.Object.String()
	}
	return fmt.Sprintf("%s (%s)", f.Object, f.Field)
}

// describe says what is wrong, and with which object.
func describe(f Finding) string {
	if object := strings.TrimSpace(nameObject(f)); object != "" {
		return object + ": " + f.Message
	}
	return f.Message
}

// describeFix says what to do, behind a word for how sure that is: a guess is
// never called a fix. It is empty where nothing is known.
func describeFix(f Finding) string {
	switch {
	case f.Fix == "":
		return ""
	case f.Certainty == Proved:
		return "fix " + f.Fix
	case f.Certainty == Guess && f.Doubt != "":
		return fmt.Sprintf("guess %s (%s)", f.Fix, f.Doubt)
	case f.Certainty == Guess:
		return "guess " + f.Fix
	}
	return "advice " + f.Fix
}

// titleFix writes what to do as a sentence: Fix: set a, Guess: set a.
func titleFix(f Finding) string {
	word, rest, _ := strings.Cut(describeFix(f), " ")
	return map[string]string{"fix": "Fix: ", "guess": "Guess: ", "advice": "Advice: "}[word] + rest
}

// nameSetting names where the environment can change what was found.
func nameSetting(f Finding) string {
	if f.File == "" {
		return text.Visible(f.Setting)
	}
	return text.Visible(fmt.Sprintf("%s: %s", f.Position(), f.Setting))
}
