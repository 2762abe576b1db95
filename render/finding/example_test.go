package finding_test

import (
	"fmt"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/finding"
)

// A command shows what it found, in the format that is asked for. What a format
// needs to know besides is handed in: a painter, or where a file lies in its
// repository.
func Example() {
	found := []finding.Finding{{
		ID: "load-balancer", Severity: finding.Error, Environment: "prod", Release: "web",
		Object:  &finding.Object{Kind: "Service", Name: "web"},
		Message: "the Service waits for an address", Fix: "set service.type: ClusterIP", Certainty: finding.Guess,
		File: "prod.yaml", Line: 12, Column: 5, Setting: "spec.releases[0]",
	}, {
		ID: "lookup-use", Severity: finding.Info, Environment: "prod", Message: "a template asks the cluster",
	}}
	report := finding.NewReport(found, finding.Warning)
	fmt.Print(finding.Text(report, 1, nil))
	fmt.Print(finding.GitHub(report, func(file string) string { return "environments/" + file }))
	// Output:
	// prod web
	//   error load-balancer Service/web
	//     the Service waits for an address
	//     at  prod.yaml:12:5: spec.releases[0]
	//     guess set service.type: ClusterIP
	//
	// 1 error in 1 environment; 1 less severe not shown
	// ::error file=environments/prod.yaml,line=12,col=5,title=load-balancer (prod web)::Service/web: the Service waits for an address%0AGuess: set service.type: ClusterIP
}

func ExampleFromProblem() {
	problem := render.Problem{Position: render.Position{File: "prod.yaml", Line: 4, Column: 1}, Path: "spec.redis", Message: "the chart runs an embedded Redis: never for production"}
	f := finding.FromProblem(finding.Warning, problem)
	fmt.Println(f.Severity, f.Position(), f.Setting)
	// Output:
	// warning prod.yaml:4:1 spec.redis
}
