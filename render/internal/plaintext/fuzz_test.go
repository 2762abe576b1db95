package plaintext_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pm-gitops/pm-gitops/render/internal/plaintext"
)

// FuzzText: no text panics or takes long, and parts are in the text, in order.
func FuzzText(f *testing.F) {
	for _, rule := range plaintext.Rules() {
		f.Add(rule.Example)
		f.Add(rule.Passes)
	}
	f.Add("password: |\n  a\n b\r\n\npassword: >-\n")
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		plaintext.Text(text)
		end := 0
		for _, span := range plaintext.Assigned(text) {
			if span.Start < end || span.End <= span.Start || span.End > len(text) {
				t.Fatalf("%q: part %+v", text, span)
			}
			end = span.End
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%d bytes took %s", len(text), took)
		}
	})
}

// TestLongTexts take time in proportion to their length: what an environment
// file may hold, 1 MiB, is looked at in seconds, whatever it is.
func TestLongTexts(t *testing.T) {
	for _, part := range []string{"password=", "password: x ", "token: |\n", "://a:", "://a:b@", "eyJ", "--secret ", `"auths":`, `"auth": "`, "LS0tLS1CRUdJTi", "pass=(", "a", "-----BEGIN PRIVATE KEY-----", "\n password: |\n  x"} {
		text := strings.Repeat(part, 1<<20/len(part))
		start := time.Now()
		plaintext.Text(text)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q repeated took %s", part, took)
		} else {
			t.Logf("%q: %s", part, took)
		}
	}
}
