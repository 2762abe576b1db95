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
		"SOURCE_DATE_EPOCH": "1762171200",
	}
	sys := gitrepo.NewSystem(func(name string) string { return identity[name] }, nil, time.Now)
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

// A commit is pushed; if others were faster, it is made again on top of theirs,
// from files that are read again.
func ExampleLocal_CatchUp() {
	ctx := context.Background()
	sys := gitrepo.NewSystem(os.Getenv, os.Environ(), time.Now)
	commitAndPush := func(repository *gitrepo.Local, render func() gitrepo.Changes) error {
		if _, err := repository.Resume(ctx); err != nil && !errors.Is(err, gitrepo.ErrUnchanged) {
			return err // a run that was killed cannot be finished
		}
		for range 5 {
			made, err := repository.Commit(ctx, render(), gitrepo.CommitOptions{Message: gitrepo.Message{Text: "feat: rendered"}})
			if err != nil {
				return err
			}
			_, err = repository.Push(ctx, gitrepo.PushOptions{})
			var said *gitrepo.RemoteError
			if !errors.As(err, &said) || said.Kind != gitrepo.Raced {
				return err
			}
			done, err := repository.CatchUp(ctx, made.Hash, gitrepo.PushOptions{})
			if errors.Is(err, gitrepo.ErrUnchanged) {
				return nil // it had arrived
			}
			if err != nil {
				return err // git pull --rebase gets what others have pushed
			}
			fmt.Println("took over", done.Hash, done.Changed)
		}
		return errors.New("others are faster every time")
	}
	repository, err := gitrepo.Open(sys, ".")
	if err == nil {
		err = commitAndPush(repository, func() gitrepo.Changes { return gitrepo.Changes{} })
	}
	fmt.Println(err)
}
