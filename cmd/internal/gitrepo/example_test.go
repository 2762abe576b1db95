package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	identity := map[string]string{
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
		"SOURCE_DATE_EPOCH": "1762171200", "HOME": dir, "PATH": os.Getenv("PATH"),
	}
	var environ []string
	for name, value := range identity {
		environ = append(environ, name+"="+value)
	}
	sys := gitrepo.NewSystem(func(name string) string { return identity[name] }, environ, time.Now)
	repository, err := gitrepo.Init(sys, dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	changes := gitrepo.Changes{Write: tree.Tree{"clusters/eu-1/prod.yaml": []byte("kind: Kustomization\n")}}
	if err := os.MkdirAll(filepath.Join(dir, "clusters/eu-1"), 0o777); err != nil {
		fmt.Println(err)
		return
	}
	message := gitrepo.Message{Text: "feat(prefect/prod): first rendering", Trailers: []gitrepo.Trailer{{Key: "Pm-Gitops-Version", Value: "v1"}}}
	result, err := repository.Commit(context.Background(), changes, gitrepo.CommitOptions{Message: message})
	fmt.Println(result.Hash, result.Branch, result.Written, err)
	_, err = repository.Commit(context.Background(), changes, gitrepo.CommitOptions{Message: message})
	fmt.Println(errors.Is(err, gitrepo.ErrUnchanged))
	// Output:
	// 5754d7b90e64d758a0612ba34b7f29392d94f861 main [clusters/eu-1/prod.yaml] <nil>
	// true
}
