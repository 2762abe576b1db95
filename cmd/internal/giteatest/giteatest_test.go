package giteatest

import (
	"context"
	"net"
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

func TestAPortThatStaysTakenIsGivenUp(t *testing.T) {
	program := find(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, key := range []string{"server.HTTP_PORT", "server.SSH_PORT"} {
		s, err := start(program, []string{key + "=" + port(listener.Addr().String())})
		if err == nil {
			s.stop()
		}
		if err == nil || !strings.Contains(err.Error(), "address already in use") {
			t.Errorf("%s: start = %v", key, err)
		}
	}
}
