package pullrequest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/giteatest"
)

var server giteatest.Shared

// errandVariable has what a process of a test is to do: the test binary itself runs it, to be
// killed.
const errandVariable = "PM_GITOPS_TEST_ERRAND"

func TestMain(m *testing.M) {
	if text := os.Getenv(errandVariable); text != "" {
		var e errand
		err := json.Unmarshal([]byte(text), &e)
		if err == nil {
			_, err = e.run(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	server.Stop()
	os.Exit(code)
}
