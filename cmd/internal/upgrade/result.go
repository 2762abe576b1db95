package upgrade

import (
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/render/edit"
	"github.com/pm-gitops/pm-gitops/render/upgrade"
)

// State says what became of the upgrade of an environment.
type State string

// The states, besides those of [pullrequest.Result].
const (
	UpToDate State = "up-to-date" // it has the newest versions that are known
	Waiting  State = "waiting"    // for what Waits says
	Refused  State = "refused"    // the notes say why
	Failed   State = "failed"
	Proposed State = "proposed" // in a dry run, or without a push
	Together State = "together" // in the pull request of another environment
)

// Result says what became of the upgrade of an environment. Its JSON form is an
// interface: fields are only ever added.
type Result struct {
	Environment string           `json:"environment"`
	File        string           `json:"file"`
	State       State            `json:"state"`
	Why         string           `json:"why,omitempty"` // a sentence: why it is in this state
	Versions    []Version        `json:"versions"`      // those that change
	Notes       []upgrade.Note   `json:"notes"`
	Waits       []upgrade.Reason `json:"waits"`           // why nothing is proposed
	Merging     []upgrade.Reason `json:"merging"`         // why the forge does not merge it by itself
	Others      []string         `json:"others"`          // environments that change with it
	Pull        *Pull            `json:"pull,omitempty"`  // what is proposed
	Error       string           `json:"error,omitempty"` // of a state failed

	err error
}

// newResult makes the result of an environment of which nothing is known yet.
func newResult(m fleet.Member) Result {
	return Result{Environment: m.Plan.Environment, File: m.File, Versions: []Version{}, Notes: []upgrade.Note{}, Waits: []upgrade.Reason{}, Merging: []upgrade.Reason{}, Others: []string{}}
}

// Err gives the error of an environment that failed or was refused.
func (r Result) Err() error { return r.err }

// Version is a version that changes.
type Version struct {
	Part upgrade.Part `json:"part"`
	From string       `json:"from"`
	To   string       `json:"to"`
}

// Pull is a pull request. Number and URL are not there where there is none as yet.
type Pull struct {
	Number  int      `json:"number,omitempty"`
	URL     string   `json:"url,omitempty"`
	Branch  string   `json:"branch"`
	Base    string   `json:"base"`
	Title   string   `json:"title"`
	Labels  []string `json:"labels"`
	Draft   bool     `json:"draft"`
	Blocked []string `json:"blocked"` // why it is a draft
	Files   []string `json:"files"`   // that the commit changes, sorted
	Commit  string   `json:"commit,omitempty"`
	Body    string   `json:"body,omitempty"` // of a dry run
	Notes   []string `json:"notes"`          // what the forge could not do

	// Edited are the files with their content before and after: in a dry run.
	Edited []edit.File `json:"-"`
}

// fail notes an error.
func (r *Result) fail(err error) {
	r.State, r.err, r.Error = Failed, err, err.Error()
}
