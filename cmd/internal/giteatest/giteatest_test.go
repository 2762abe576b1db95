package giteatest

import (
	"context"
	"strings"
	"testing"
)

func TestServerGoesWithTheTest(t *testing.T) {
	var s *Server
	t.Run("", func(t *testing.T) {
		s = Start(t)
		var answer struct{ Version string }
		s.NewUser(t).Do(t, "GET", "/version", nil, &answer)
		if !strings.HasPrefix(answer.Version, "1.") {
			t.Errorf("version %q", answer.Version)
		}
	})
	if s != nil && s.answers(context.Background()) == nil {
		t.Error("it answers after the test")
	}
}
