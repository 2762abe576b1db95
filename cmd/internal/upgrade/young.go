package upgrade

import (
	"context"
	"maps"
	"slices"

	"github.com/pm-gitops/pm-gitops/render/finding"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// most limits how many versions of a part are passed over.
const most = 50

// chooseOld chooses again without the versions that are too young, until all are old
// enough: where there is a patch each week, a policy of two weeks would wait for ever for
// the newest one. If nothing is left that would change, the first choice stays, and waits.
func (p *proposed) chooseOld(ctx context.Context, known upgrade.Known, first upgrade.Versions, told []upgrade.Note) (upgrade.Versions, []upgrade.Note) {
	r, m := p.run, p.member
	policy, now := m.Environment.Spec.Upgrade, upgrade.VersionsOf(m.Environment)
	if policy.MinimumAge == "" {
		return first, told
	}
	left, young := upgrade.Known{}, map[upgrade.Part]upgrade.Reason{}
	maps.Copy(left, known)
	for to, notes := first, told; ; to, notes = upgrade.Choose(now, m.Catalog, left, nil) {
		again := false
		for _, part := range now.Changed(to) {
			reason, waits := upgrade.Young(policy, r.Now, part, to[part], r.Ages.Age(ctx, m.Plan, part, to[part]))
			if !waits || ctx.Err() != nil || len(left[part].Passed) >= most {
				continue
			}
			if _, newest := young[part]; !newest {
				young[part] = reason
			}
			listed := left[part]
			listed.Passed = append(slices.Clone(listed.Passed), to[part])
			left[part], again = listed, true
		}
		switch {
		case again:
			continue
		case len(young) == 0 || len(now.Changed(to)) == 0:
			return first, told
		}
		for _, part := range now.Changed(first) {
			if reason, passed := young[part]; passed {
				notes = append(notes, upgrade.Note{Part: part, Severity: finding.Info, Message: "not the newest: " + reason.Message})
			}
		}
		return to, notes
	}
}
