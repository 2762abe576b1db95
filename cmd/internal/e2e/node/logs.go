//go:build e2e

package node

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// ServeLogs gives the logs of containers as a kubelet does, which the API
// server asks for pods/log, until the listener is closed.
func (a *Agent) ServeLogs(listener net.Listener, config *tls.Config) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(out http.ResponseWriter, in *http.Request) {
		lines, ok := a.logOf(in.PathValue("namespace"), in.PathValue("pod"))
		if !ok {
			http.Error(out, "no such pod", http.StatusNotFound)
			return
		}
		if n, err := strconv.Atoi(in.URL.Query().Get("tailLines")); err == nil {
			lines = lines[max(0, len(lines)-n):]
		}
		fmt.Fprint(out, strings.Join(lines, "\n")+"\n")
	})
	_ = (&http.Server{Handler: mux}).Serve(tls.NewListener(listener, config))
}

func (a *Agent) logOf(namespace, name string) ([]string, bool) {
	pod, err := a.pods.Pods(namespace).Get(name)
	if err != nil {
		return nil, false
	}
	return a.lines(pod.UID), true
}

func (a *Agent) lines(pod types.UID) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if own := a.runs[pod]; own != nil {
		return own.log
	}
	return nil
}
