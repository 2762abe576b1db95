package upgrade

import (
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// Known is the versions that registries have, by part.
type Known map[Part]Listed

// Listed is the versions of a chart or an image that registries list.
type Listed struct {
	Versions []string // in any order, as the registries write them
	// Complete says that every place of the part gave its whole list: a version that is
	// not in it does not exist.
	Complete bool
}

// Note is something to say about the choice of a part's version. An error is a refusal;
// an info says why a part stays as it is although a newer version may exist.
type Note struct {
	Part     Part             `json:"part"`
	Severity finding.Severity `json:"severity"`
	Message  string           `json:"message"`
}

// Choose gives the versions that an environment is upgraded to within its release line,
// from those that it has. If any are wanted, only these change, and each of them is
// refused if it is of another line, older, or no version; otherwise each part gets the
// newest version of the line that registries or the catalog know. The ui's tags do not
// say their line: without a catalog line that lists them, the ui stays as it is.
//
// The catalog is the environment's ([fleet.Member.Catalog]). Charts that change come
// without digest; what stays is as now has it. Notes are in the order of [Parts]. If one
// is an error, nothing changes.
func Choose(now Versions, cat catalog.Catalog, known Known, wanted Versions) (Versions, []Note) {
	return now, nil
}
