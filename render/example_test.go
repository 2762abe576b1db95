package render_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/pm-gitops/pm-gitops/render"
)

// Everything that is wrong comes at once.
func ExampleParse() {
	source := []byte(`apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: dev}
spec:
  instance: {name: dev, frontendUrl: ui.company.com, backendUrl: https://api.company.com, owner: a@b.c}
  versions: {prefectCloud: 1.2.900, server: 2025.10, ui: "2025.1023.154520"}
  auth: {okta: {clientID: prefect, clientSecret: hunter2, authServerURL: https://o.company.com}}
  mesh: none
`)
	_, err := render.Parse("dev.yaml", source, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	var problems render.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			fmt.Println(problem.Error())
		}
	}
	// Output:
	// dev.yaml:5:13: spec.instance.ownerEmail: the field is missing
	// dev.yaml:5:38: spec.instance.frontendUrl: want an http or https address such as https://prefect.company.com, got "ui.company.com"
	// dev.yaml:5:91: spec.instance.owner: unknown field: did you mean "ownerEmail"?
	// dev.yaml:6:45: spec.versions.server: want a string, got a number: put it in quotes
	// dev.yaml:7:50: spec.auth.okta.clientSecret: want a reference, {secret: NAME, key: KEY}: a secret itself would be in Git for all to read
}
