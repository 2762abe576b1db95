package hop_test

import (
	"encoding/json"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/hop"
	"github.com/pm-gitops/pm-gitops/testdata/charts"
)

// TestLayout: where the layout of the new line sets a value already, there is nothing to
// edit, and parity says where it is.
func TestLayout(t *testing.T) {
	before, after := values(t, ""), values(t, next)
	a := analyze(t, hop.Input{
		Old: side(standIn(t, charts.Cloud, "1.2.900"), before), New: side(standIn(t, charts.Cloud, "1.3.901"), after),
		Secrets: append(guideSecrets, "db.serviceUser.password", "db.adminUser.password"),
	})
	contains(t, a, []string{
		"renamed info certain from db.serviceuser to db.serviceUser", "removed info certain from global.instanceName",
		"renamed info certain from ui.cloud2 to ui.web",
		"required error certain Secret/key", // the encryption key that the values name
	}, []string{"required error certain to", "flipped", "deleted", "renamed error", "removed error unknown"})
	if a.Edits() != nil || a.Blocked() {
		t.Errorf("edits %v", a.Edits())
	}
	if p := fate(a, "db.superuser.password"); p.To != "db.adminUser.password" || p.Fate != hop.Placed {
		t.Errorf("db.superuser.password: %+v", p)
	}
}

// TestSame: the same chart twice means nothing, and an analysis gives the same again.
func TestSame(t *testing.T) {
	all := values(t, "")
	same := hop.Input{Old: side(standIn(t, charts.Cloud, "1.2.900"), all), New: side(standIn(t, charts.Cloud, "1.2.900"), all), Secrets: guideSecrets}
	if a := analyze(t, same); a.Findings != nil {
		t.Errorf("the same chart: %v", told(a))
	}
	patch := same
	patch.New = side(standIn(t, charts.Cloud, "1.2.901"), all)
	if a := analyze(t, patch); a.Findings != nil {
		t.Errorf("a patch of which the environment sets all tags: %v", told(a))
	}
	next := same
	next.New = side(standIn(t, charts.Cloud, "1.3.901"), all)
	first, second := jsonOf(t, analyze(t, next)), jsonOf(t, analyze(t, next))
	if first != second {
		t.Errorf("another analysis of the same:\n%s\n%s", first, second)
	}
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
