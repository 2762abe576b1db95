package edit_test

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/edit"
)

func ExampleEnvironment_Apply() {
	env, err := edit.Open("prod.yaml", []byte(`apiVersion: pm-gitops/v1
kind: Environment
spec:
  versions:
    server: "2025.9"   # quoted
  values: {prefect-cloud: {a: 1}}   # ours
`), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	replicas, err := edit.Of(map[string]any{"replicas": 3, "tag": "3", "args": []any{true}})
	if err != nil {
		fmt.Println(err)
		return
	}
	changes, err := env.Apply(
		edit.Edit{Op: edit.Set, Path: "spec.versions.server", Value: edit.Text("2025.10")},
		edit.Edit{Op: edit.Set, Path: "spec.values.prefect-cloud.server", Value: replicas},
		edit.Edit{Op: edit.Remove, Path: "spec.values.prefect-cloud.a"},
	)
	for _, c := range changes {
		fmt.Printf("%d %s %s: %s -> %s.\n", c.Line, c.Op, c.Path, c.Old, c.New)
	}
	fmt.Print(err, "\n", string(env.Files()[0].New))
	// Output:
	// 5 set spec.versions.server: "2025.9" -> "2025.10".
	// 6 set spec.values.prefect-cloud.server:  -> {args: [true], replicas: 3, tag: "3"}.
	// 6 remove spec.values.prefect-cloud.a: 1 -> .
	// <nil>
	// apiVersion: pm-gitops/v1
	// kind: Environment
	// spec:
	//   versions:
	//     server: "2025.10"   # quoted
	//   values: {prefect-cloud: {server: {args: [true], replicas: 3, tag: "3"}}}   # ours
}
