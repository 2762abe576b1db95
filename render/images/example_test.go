package images_test

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/ref"
)

func ExampleFind() {
	result, err := images.Find([]chart.Object{{
		Source: "app/templates/operator.yaml", APIVersion: "apps/v1", Kind: "Deployment", Name: "operator",
		YAML: []byte(`
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: operator
        image: quay.io/example/operator:1.2.3
        env:
        - {name: RELATED_IMAGE_DATABASE, value: "postgres:17"}
        args: [--listen=:8080]
`),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, image := range result.Images {
		fmt.Println(image.Reference, image.Sure, image.Hidden())
	}
	// Output:
	// docker.io/library/postgres:17 likely true
	// quay.io/example/operator:1.2.3 certain false
}

func ExampleParse() {
	reference, err := ref.ParseImage("postgres:17")
	fmt.Println(reference, err)
	// Output: docker.io/library/postgres:17 <nil>
}
