package gitrepo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/collector"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

// errand is what a process of ours is to do, in tests that need several or kill
// them: the test binary itself runs it.
type errand struct {
	Dir     string            // of a Local
	URL     string            // or of a Remote
	Files   map[string]string // to write
	Message string
	Push    bool // what was committed to a Local
	NoFiles bool // only push
}

// errandVariable names the file that has the errand.
const errandVariable = "PM_GITOPS_TEST_ERRAND"

func TestMain(m *testing.M) {
	collector.Start() // as in the program
	name := os.Getenv(errandVariable)
	if name == "" {
		code := m.Run()
		forge.Stop()
		os.Exit(code)
	}
	var e errand
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		panic(err)
	}
	if err := e.run(context.Background()); err != nil && !errors.Is(err, ErrUnchanged) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status, _ := os.ReadFile("/proc/self/status") // elsewhere than on Linux nobody asks
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Println(strings.Split(peak, "\n")[0])
}

func (e errand) run(ctx context.Context) error {
	sys := NewSystem(os.Getenv, os.Environ(), time.Now)
	changes := Changes{Write: tree.Tree{}}
	for name, content := range e.Files {
		changes.Write[name] = []byte(content)
	}
	if e.Dir == "" {
		r, err := OpenRemote(ctx, sys, e.URL, RemoteOptions{})
		if err != nil {
			return err
		}
		_, err = r.Commit(ctx, func(context.Context, *Base) (Changes, error) { return changes, nil }, said(e.Message))
		return err
	}
	l, err := Open(sys, e.Dir)
	if err != nil {
		return err
	}
	if !e.NoFiles {
		if _, err := l.Commit(ctx, changes, said(e.Message)); err != nil && !errors.Is(err, ErrUnchanged) || !e.Push {
			return err
		}
	}
	_, err = l.Push(ctx, PushOptions{})
	return err
}
