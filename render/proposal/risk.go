package proposal

import (
	"fmt"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/diff"
)

// Risk gives the greatest risk of all facts, and why: sentences without a period, those of
// the greatest risk first.
func (p Patch) Risk() (Risk, []string) {
	order := []Risk{Routine, Caution, Breaking}
	all := slices.Concat(p.Concerns, p.implied())
	slices.SortStableFunc(all, func(a, b Concern) int { return slices.Index(order, b.Risk) - slices.Index(order, a.Risk) })
	if len(all) == 0 {
		return Routine, nil
	}
	var why []string
	for _, one := range all {
		if one.Why != "" {
			why = append(why, one.Why)
		}
	}
	return all[0].Risk, why
}

// implied gives the concerns that follow from the facts.
func (p Patch) implied() []Concern {
	var all []Concern
	for _, c := range p.Changes.Changes {
		switch {
		case c.LosesData():
			all = append(all, Concern{Breaking, "data may be lost: " + describe(c)})
		case c.Effect == nil:
		case c.Effect.Action == diff.Refuse:
			all = append(all, Concern{Breaking, describe(c)})
		case c.Effect.Action == diff.Delete, c.Effect.Action == diff.Recreate:
			all = append(all, Concern{Caution, describe(c)})
		}
	}
	if len(p.todo()) > 0 {
		all = append(all, Concern{Caution, ""}) // the actions say why
	}
	for _, one := range p.Unseen {
		all = append(all, Concern{Caution, one.What + " could not be looked at: " + one.Why})
	}
	for _, v := range p.Versions {
		if v.Signature.State == SignatureUnknown {
			all = append(all, Concern{Caution, fmt.Sprintf("the signature of %s %s could not be verified: %s", v.What, v.To, v.Signature.Why)})
		}
	}
	return all
}

// describe says what becomes of an object.
func describe(c diff.Change) string {
	if c.Effect == nil {
		return c.Object.String()
	}
	return c.Object.String() + ": " + c.Effect.String()
}

// todo gives the actions that a person does.
func (p Patch) todo() []Action {
	return slices.DeleteFunc(slices.Clone(p.Actions), func(a Action) bool { return a.Edited })
}

// Blockers gives why the pull request must not be merged as yet, and is a draft:
// sentences without a period; nothing if it may be merged.
func (p Patch) Blockers() []string {
	var why []string
	for _, v := range p.Versions {
		name := v.What + " " + v.To
		switch v.Mirror.State {
		case NotMirrored:
			why = append(why, name+" is not in the mirror")
		case OtherDigest:
			why = append(why, fmt.Sprintf("%s has another digest in the mirror: %s", name, v.Mirror.Digest))
		case MirrorUnknown:
			why = append(why, "it is unknown whether the mirror has "+name+prefixed(": ", v.Mirror.Why))
		}
		if v.Signature.State == NotSigned {
			why = append(why, name+" has no valid signature")
		}
	}
	return append(why, p.Blocked...)
}

// prefixed puts a prefix before a text that is not empty.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}
