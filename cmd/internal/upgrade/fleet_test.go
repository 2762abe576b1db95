package upgrade

import (
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
)

// Which environment of several with shared versions has the pull request does not follow the
// order in which their files are named.
func TestOrderIsThatOfFiles(t *testing.T) {
	run := Run{Members: []fleet.Member{{File: "prod.yaml"}, {File: "dev.yaml"}}}
	run.Members[0].Plan.Environment, run.Members[1].Plan.Environment = "prod", "dev"
	order, problems, err := run.order(t.Context())
	if err != nil || len(problems) > 0 || len(order) != 2 || order[0].File != "dev.yaml" {
		t.Errorf("order is %v, %v, %v", order, problems, err)
	}
}
