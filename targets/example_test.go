package targets_test

import (
	"fmt"
	"io/fs"
	"log"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/catalog"
	"github.com/pm-gitops/pm-gitops/targets"
)

// From a file to what Flux reads, without touching a disk.
func Example() {
	source := []byte(`
apiVersion: pm-gitops/v1
kind: Environment
metadata: {name: dev}
spec:
  instance:
    name: customer-managed
    frontendUrl: https://ui.company.com
    backendUrl: https://api.company.com
    ownerEmail: owner@company.com
  versions: {prefectIstiod: 1.2.900, prefectCloud: 1.2.900, server: "2025.10.202511042343", ui: "2025.1023.154520"}
  auth:
    okta:
      clientID: prefect
      clientSecret: {secret: prefect-auth, key: client-secret}
      authServerURL: https://company.okta.com/oauth2/default
`)
	extendsNothing := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	env, err := render.Parse("dev.yaml", source, extendsNothing)
	if err != nil {
		log.Fatal(err)
	}
	target := targets.Flux{}
	plan, err := render.PlanFor(env, catalog.Embedded(), target)
	if err != nil {
		log.Fatal(err)
	}
	rendering, err := render.Render(plan, target)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan)
	fmt.Print(string(rendering.Tree["prefect/overlays/dev/prefect-istiod/kustomization.yaml"]))
	// Output:
	// dev: prefect-istiod -> prefect-cloud
	// apiVersion: kustomize.config.k8s.io/v1beta1
	// kind: Kustomization
	// namespace: istio-system
	// patches:
	// - path: helmrelease-patch.yaml
	// resources:
	// - ../../../base/v1/flux/prefect-istiod
	// - ocirepository.yaml
}
