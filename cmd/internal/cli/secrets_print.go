package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/reads"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// noteReferences says of each reference of an environment what it is for.
func noteReferences(plan render.Plan) []notedReference {
	all := []notedReference{}
	for _, reference := range plan.SecretReferences() {
		note := fmt.Sprintf("a note for you: the value of %s in Secret %s/%s", reference.Path, reference.Namespace, reference.Secret)
		switch {
		case reference.Path != "":
		case plan.Secrets.Into == render.IntoChart:
			note = "changes nothing: the chart reads Secrets itself (secrets.into: chart)"
		default:
			note = "changes nothing: the chart has no value for it"
		}
		all = append(all, notedReference{reference, note})
	}
	return all
}

// printSecrets prints Secrets as manifests to fill in, or as JSON.
func (a app) printSecrets(o secretsListOptions, listed listedSecrets) error {
	if o.output == "json" {
		return a.printJSON(listed)
	}
	if listed.Complete && len(listed.Secrets) == 0 {
		a.err.Say("%s needs no Secrets.", listed.Environment)
	}
	manifests, err := listed.format()
	if err != nil {
		return err
	}
	return a.out.Raw(manifests)
}

// format writes the Secrets as manifests, optional ones as comments behind the
// others, and before them which references nothing in the cluster reads.
func (l listedSecrets) format() ([]byte, error) {
	var head, required, optional bytes.Buffer
	if len(l.References) > 0 {
		writeComment(&head, "The cluster reads the Secrets below. It reads none because of these references of the environment:")
	}
	for _, one := range l.References {
		writeComment(&head, fmt.Sprintf("  %s/%s (%s): %s", one.From.Secret, one.From.Key, one.Field, one.Note))
	}
	if head.Len() > 0 {
		head.WriteString("#\n")
	}
	for _, secret := range l.Secrets {
		manifest, err := render.SecretTemplates([]render.RequiredSecret{secret.RequiredSecret})
		if err != nil {
			return nil, err
		}
		document := &required
		if secret.Optional {
			document = &optional
		}
		if secret.Optional || required.Len() > 0 {
			document.WriteString("---\n")
		}
		describeSecret(document, secret)
		document.Write(manifest)
	}
	if optional.Len() > 0 {
		writeComment(&required, "Optional Secrets: whatever reads them does without.")
		writeComment(&required, strings.Split(strings.TrimSuffix(optional.String(), "\n"), "\n")...)
	}
	return append(head.Bytes(), required.Bytes()...), nil
}

// maxReaders bounds the places that name a Secret and that a comment lists.
const maxReaders = 3

// describeSecret writes why a Secret is needed, and what reads it.
func describeSecret(out *bytes.Buffer, secret reads.Secret) {
	line := secret.Why
	switch {
	case len(secret.ReadBy) > 0:
		line = "Read by " + strings.Join(secret.ReadBy, ", ") + ": " + line
	case secret.ReadBy != nil:
		line = "Read by nothing: " + line
	}
	writeComment(out, line)
	for _, reader := range secret.Readers[:min(len(secret.Readers), maxReaders)] {
		switch {
		case reader.Object != nil:
			writeComment(out, fmt.Sprintf("  %s: %s %s: %s", reader.Release, reader.Object.Kind, reader.Object.Name, reader.Path))
		case reader.Unanswered:
			writeComment(out, fmt.Sprintf("  %s: %s asks for it with lookup, which finds nothing where no cluster is asked", reader.Release, reader.Template))
		default:
			writeComment(out, fmt.Sprintf("  %s: %s asks for it with lookup", reader.Release, reader.Template))
		}
	}
	if more := len(secret.Readers) - maxReaders; more > 0 {
		writeComment(out, fmt.Sprintf("  and %s (-o json)", text.Count(more, "more place")))
	}
	if len(secret.Keys) == 0 {
		writeComment(out, "  no object names its keys: readers get all that it holds")
	}
}

// writeComment writes lines as comments.
func writeComment(out *bytes.Buffer, lines ...string) {
	for _, line := range lines {
		out.WriteString(comment(line))
	}
}
