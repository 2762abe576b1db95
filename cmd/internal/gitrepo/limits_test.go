package gitrepo

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
	"github.com/pm-gitops/pm-gitops/render/tree"
)

const endless = math.MaxInt

// advertise writes an advertisement with so many references, or until the client goes.
func advertise(to io.Writer, references int) {
	const hash = "1111111111111111111111111111111111111111"
	line := func(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }
	_, err := io.WriteString(to, line(hash+" refs/heads/main\x00agent=git/2 side-band-64k shallow\n"))
	for n := 0; n < references && err == nil; n++ {
		_, err = io.WriteString(to, line(hash+" refs/heads/again\n"))
	}
	_, _ = io.WriteString(to, "0000")
}

// waitFor waits until the client goes.
func waitFor(in *http.Request) { <-in.Context().Done() }

func TestServersThatKeepUsWaitingOrSendTooMuch(t *testing.T) {
	const whileLong = time.Hour
	stalls := func(l *transport.Limits) { l.Stall, l.Timeout = 50*time.Millisecond, whileLong }
	ends := func(l *transport.Limits) {
		l.Stall, l.Timeout, l.References = whileLong, 50*time.Millisecond, math.MaxInt64
	}
	bounded := func(l *transport.Limits) {
		l.Stall, l.Timeout, l.References, l.Unpacked = whileLong, whileLong, 1<<20, 1<<20
	}
	const silent, slow, large = `^127.0.0.1:\d+ sent nothing for 50ms$`, `^127.0.0.1:\d+ did not finish its answer within 50ms$`, ` advertises more than 1 MB of branches, tags and other references$`
	serve := func(handle http.HandlerFunc) func(*world) string {
		return func(w *world) string {
			server := httptest.NewServer(handle)
			w.t.Cleanup(server.Close)
			return server.URL + "/fleet"
		}
	}
	ssh := func(dir string) func(*world) string { return func(w *world) string { return w.serveSSH() + dir } }
	for name, c := range map[string]struct {
		serve  func(*world) string
		limits func(*transport.Limits)
		kind   transport.Kind
		want   string
	}{
		"silent": {serve(func(_ http.ResponseWriter, in *http.Request) { waitFor(in) }), stalls, transport.Stalled, silent},
		"silent after the head": {serve(func(out http.ResponseWriter, in *http.Request) {
			out.(http.Flusher).Flush()
			waitFor(in)
		}), stalls, transport.Stalled, silent},
		"silent after some": {serve(func(out http.ResponseWriter, in *http.Request) {
			_, _ = io.WriteString(out, "00")
			out.(http.Flusher).Flush()
			waitFor(in)
		}), stalls, transport.Stalled, silent},
		"silent where a pack would come": {serve(func(out http.ResponseWriter, in *http.Request) {
			if in.Method == http.MethodGet {
				advertise(out, 0)
				return
			}
			_, _ = io.Copy(io.Discard, in.Body)
			_, _ = io.WriteString(out, "00000008NAK\nPACK")
			out.(http.Flusher).Flush()
			waitFor(in)
		}), stalls, transport.Stalled, silent},
		"silent, ssh":                     {silentListener, stalls, transport.Stalled, silent},
		"silent after the handshake, ssh": {ssh("/silent"), stalls, transport.Stalled, silent},
		"never ends":                      {serve(func(out http.ResponseWriter, _ *http.Request) { advertise(out, endless) }), ends, transport.Stalled, slow},
		"never ends, ssh":                 {ssh("/endless"), ends, transport.Stalled, slow},
		"endless":                         {serve(func(out http.ResponseWriter, _ *http.Request) { advertise(out, endless) }), bounded, transport.TooLarge, large},
		"endless, ssh":                    {ssh("/endless"), bounded, transport.TooLarge, large},
		"large once decompressed": {serve(func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(out)
			advertise(packed, 100_000) // 6 MB, and 20 kB on their way
			packed.Close()
		}), bounded, transport.TooLarge, large},
		"endless page with an error": {serve(func(out http.ResponseWriter, _ *http.Request) {
			out.WriteHeader(http.StatusForbidden)
			for err := error(nil); err == nil; {
				_, err = io.WriteString(out, strings.Repeat("no ", 1<<10))
			}
		}), bounded, transport.Forbidden, `do not suffice for \S+: may they write there\? \(it says: no no `},
		"endless progress before a pack": {serve(packs("0008NAK\n", "0011\x02and counting")), bounded, transport.TooLarge, ` sends a pack whose objects have more than 1 MB together, or a thousand times its size: `},
		"endless ends of the history":    {serve(packs("", "0035shallow 1111111111111111111111111111111111111111\n")), bounded, transport.TooLarge, ` sends a pack whose objects have more than 1 MB together, or a thousand times its size: `},
		"endless answer to a push": {serve(func(out http.ResponseWriter, in *http.Request) {
			service := in.URL.Query().Get("service")
			if in.Method == http.MethodGet {
				fmt.Fprintf(out, "%04x# service=%s\n0000004b%040d capabilities^{}\x00report-status\n0000", len(service)+15, service, 0)
				return
			}
			_, _ = io.Copy(io.Discard, in.Body)
			_, err := io.WriteString(out, "000eunpack ok\n")
			for err == nil {
				_, err = io.WriteString(out, strings.Repeat("0019ok refs/heads/branch\n", 1<<10))
			}
		}), bounded, transport.TooLarge, ` sends an answer of more than 16 MB$`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.remote(c.serve(w), RemoteOptions{})
			c.limits(&r.connection.Limits)
			_, err := r.Commit(context.Background(), always(ours), said("ours"))
			var got *transport.Error
			if !errors.As(err, &got) || got.Kind != c.kind || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("Commit = %v (%T)\nwant %s, kind %d", err, err, c.want, c.kind)
			}
		})
	}
}

// packs answers with an advertisement and, in place of a pack, with a text and endlessly
// another.
func packs(first, again string) http.HandlerFunc {
	return func(out http.ResponseWriter, in *http.Request) {
		if in.Method == http.MethodGet {
			advertise(out, 0)
			return
		}
		_, _ = io.Copy(io.Discard, in.Body)
		_, err := io.WriteString(out, first)
		for err == nil {
			_, err = io.WriteString(out, strings.Repeat(again, 1<<10))
		}
	}
}

// silentListener takes connections, and says nothing.
func silentListener(w *world) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { listener.Close() })
	w.ownKey()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn); conn.Close() }()
		}
	}()
	return "ssh://git@" + listener.Addr().String() + "/fleet"
}

// A server that does not get to say that a push is done is asked where the branch is.
func TestWhatArrivedIsDone(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	r := w.remote("file://"+w.home+"/origin", RemoteOptions{})
	sent, err := r.CommitEach(context.Background(), func(context.Context, *Base) ([]Draft, error) {
		return []Draft{{Changes{Write: tree.Tree{"a": []byte("a\n")}}, Message{Text: "a"}}}, nil
	}, CommitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[transport.Kind]bool{transport.Stalled: true, transport.NoConnection: true, transport.Forbidden: false} {
		if got := r.arrived(context.Background(), sent, transport.Errorf(kind, "x")); got != want {
			t.Errorf("arrived after an error of the kind %d: %v, want %v", kind, got, want)
		}
	}
}
