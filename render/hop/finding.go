package hop

import (
	"encoding/json"
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/finding"
)

// Class is the kind of a change between two versions of a chart.
type Class string

// The classes.
const (
	Renamed        Class = "renamed"         // a value has another name
	Moved          Class = "moved"           // a value has its name in another place
	Restructured   Class = "restructured"    // a value has another form: an item of a list, the opposite
	Removed        Class = "removed"         // a value does nothing any more
	Required       Class = "required"        // a value must be set that need not be before
	TypeChange     Class = "type-change"     // a value of the same name has another type
	ChangedDefault Class = "default"         // another default changes objects of the environment
	Flipped        Class = "flipped"         // another default deletes Secrets, or starts a database
	Activated      Class = "activated"       // a value that did nothing does something now
	NewService     Class = "new-service"     // a Deployment or the like that was not there
	RenamedService Class = "renamed-service" // a Deployment or the like has another name
	RemovedService Class = "removed-service" // a Deployment or the like goes
	Immutable      Class = "immutable"       // the API server refuses the change of an object
	Hooks          Class = "hooks"           // other hooks run, or at another time
	Images         Class = "images"          // images that the old version did not need
	RenamedObject  Class = "renamed-object"  // any other object has another name
	Deleted        Class = "deleted"         // a Secret, a claim or a StatefulSet goes, and no default says why
	CRD            Class = "crd"             // a definition of custom resources is new, goes or drops a version
	Stateful       Class = "stateful"        // a program that keeps data has another major version
	Kubernetes     Class = "kubernetes"      // the chart wants another Kubernetes
)

// Certainty says how sure a finding is.
type Certainty string

// The certainties.
const (
	// Certain: rendering proves it, or a catalog or the chart's own text says it.
	Certain Certainty = "certain"
	// Suspected: a name, a type or a place is like another one. Nothing is done about it
	// unasked.
	Suspected Certainty = "suspected"
	// Unknown: the value had an effect, and nothing shows what became of it.
	Unknown Certainty = "unknown"
)

// Finding is one thing that a hop changes for the environment. Its JSON form is an
// interface: fields are only ever added. No text in it has a secret.
type Finding struct {
	Class     Class            `json:"class"`
	Severity  finding.Severity `json:"severity"`
	Certainty Certainty        `json:"certainty"`
	// Evidence makes it certain, or suspected, as a sentence.
	Evidence string `json:"evidence"`
	// Message says what changes for the environment, and Todo what a person has to do or
	// decide; empty where the edits do it or nothing is to be done.
	Message string `json:"message"`
	Todo    string `json:"todo,omitempty"`
	// Blocks: the hop loses data or is refused as the environment is. Where there are
	// edits, they end that.
	Blocks bool `json:"blocks,omitempty"`
	// From and To are the chart value before and after; From alone is gone, To alone is
	// new. Both are empty for what is about objects alone.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Was and Is are the defaults as JSON, of what has another one.
	Was string `json:"was,omitempty"`
	Is  string `json:"is,omitempty"`
	// Objects is those that it is about, such as Deployment/server, sorted: at most
	// [MostObjects], and behind them how many more there are.
	Objects []string `json:"objects,omitempty"`
	// Edits change the values of the release accordingly: only for a finding that is
	// certain, and never with the value of a secret.
	Edits []Edit `json:"edits,omitempty"`
}

// MostObjects limits how many objects a finding names.
const MostObjects = 12

// Edit is a change of the values of a release.
type Edit struct {
	Path string `json:"path"`
	// To is the path that the value of Path moves to, with all below it.
	To string `json:"to,omitempty"`
	// Remove takes the value of Path out.
	Remove bool `json:"remove,omitempty"`
	// Value is what Path is set to otherwise.
	Value any `json:"value,omitempty"`
}

// String writes the edit on a line.
func (e Edit) String() string {
	switch {
	case e.To != "":
		return "move " + e.Path + " to " + e.To
	case e.Remove:
		return "remove " + e.Path
	}
	data, err := json.Marshal(e.Value)
	if err != nil { // no value of a chart
		data = fmt.Append(nil, e.Value)
	}
	return "set " + e.Path + "=" + string(data)
}

// Fate says what becomes of a value.
type Fate string

// The fates.
const (
	Landed Fate = "landed"  // it does what it did, where it is
	Placed Fate = "moved"   // it does what it did, elsewhere
	Gone   Fate = "gone"    // it does nothing any more
	Lost   Fate = "unknown" // nothing shows what becomes of it
)

// Parity says what becomes of a value that the environment sets.
type Parity struct {
	Path   string `json:"path"`
	Secret bool   `json:"secret,omitempty"`
	Fate   Fate   `json:"fate"`
	// Certainty says how sure that is.
	Certainty Certainty `json:"certainty"`
	To        string    `json:"to,omitempty"` // where it moved, or may have moved
	// Form says how the new chart takes the value there, if not as it is: one of the forms.
	Form string `json:"form,omitempty"`
	Why  string `json:"why"` // how that is known, as a sentence
	// Objects lists where it lands: objects and fields, at most [MostObjects].
	Objects []string `json:"objects,omitempty"`
}
