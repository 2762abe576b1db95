// Package draft writes a catalog's release line from what comparing two versions of the
// chart proves: which chart value each field of an environment sets on the new line, and what
// becomes of values on the way to it. Each entry has its certainty and its evidence in a
// comment. What is suspected stands in comments alone.
//
// Like package render it never touches disk, network, clock or environment variables, and
// the same input gives the same bytes. It has no secrets and no values of an environment:
// what it says of evidence comes from probes, and texts of the environment are taken out.
package draft

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/render/hop"
)

// Input holds what is known of a hop of prefect-cloud to another line.
type Input struct {
	// Old and New are the lines with what they take from others. New has a name at least.
	Old, New catalog.Line
	// Known: the catalog has New. What it says rightly is not written again.
	Known bool
	// From and To are the versions of the charts that were compared.
	From, To string
	// Charts holds the versions by release that the hop brings an environment to.
	Charts map[string]string
	// OldDefaults and NewDefaults are the default values of the two charts.
	OldDefaults, NewDefaults map[string]any
	// Runs are the comparisons: those with the values of [Probes], and that of an
	// environment.
	Runs []Run
	// Failed has a sentence for each probe that could not be compared.
	Failed []string
	// Hide lists texts of the environment: none of them gets into the draft.
	Hide []string
}

// Run is a comparison of the two charts with some values.
type Run struct {
	About string // the values, in words
	Own   bool   // they are an environment's own
	// IntoChart: the chart reads Secrets that exist, by a probe's [Probe.IntoChart].
	IntoChart bool
	Analysis  hop.Analysis
}

// Of writes the catalog. The error is that no YAML can be made of it.
func Of(in Input) ([]byte, error) {
	d := newDraft(in)
	body, err := d.body()
	if err != nil {
		return nil, err
	}
	return seal(body), nil
}

// drafting is a draft that is being made.
type drafting struct {
	Input
	hide *strings.Replacer
	// layout is that of the new line as it is without the draft.
	layout []catalog.Rule
	like   bool // the draft has to say that New is like Old
}

func newDraft(in Input) *drafting {
	d := &drafting{Input: in, layout: in.New.Layout, hide: hiding(in)}
	if len(d.layout) == 0 {
		d.layout, d.like = in.Old.Layout, true
	}
	return d
}

// checksum begins the line that says what the rest of a draft was when it was written.
const checksum = "# checksum: sha256:"

// seal puts the checksum of a draft before it.
func seal(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append([]byte(checksum+hex.EncodeToString(sum[:])+"\n"), body...)
}

// IsUnchanged reports whether a file is a draft as [Of] wrote it, so that nothing is lost
// with it.
func IsUnchanged(file []byte) bool {
	text := strings.ReplaceAll(string(file), "\r\n", "\n")
	_, body, found := strings.Cut(text, "\n")
	return found && string(seal([]byte(body))) == text
}
