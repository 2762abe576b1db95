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
		plaintext.Text(text)
		end := 0
		for _, span := range plaintext.Assigned(text) {
			if span.Start < end || span.End <= span.Start || span.End > len(text) {
				t.Fatalf("%q: part %+v", text, span)
			}
			end = span.End
		}
	})
}

// TestLongTexts ends: what an environment file may hold, 1 MiB, is looked at in time in
// proportion to its length, whatever it is. One in proportion to the square would be
// longer than go test waits.
func TestLongTexts(t *testing.T) {
	for _, part := range []string{"password=", "password: x ", "token: |\n", "://a:", "://a:b@", "eyJ", "--secret ", `"auths":`, `"auth": "`, "LS0tLS1CRUdJTi", "pass=(", "a", "-----BEGIN PRIVATE KEY-----", "\n password: |\n  x"} {
		start := time.Now()
		plaintext.Text(strings.Repeat(part, 1<<20/len(part)))
		t.Logf("%q: %s", part, time.Since(start))
	}
}
