package text_test

import (
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/text"
)

func TestAddress(t *testing.T) {
	for given, want := range map[string]string{
		"":                                     "",
		"https://git.test/a.git":               "https://git.test/a.git",
		"https://ada:s3cret@git.test/a.git":    "https://git.test/a.git",
		"https://ada:s3c@ret@git.test":         "https://git.test",
		"https://ada:s3c/r?et@git.test/a":      "https://git.test/a",
		"https://ada:s3 cret@git.test:port":    "https://git.test:port",
		"https://git.test/a?token=s3cret&b=c":  "https://git.test/a",
		"https://git.test/a#s3cret":            "https://git.test/a",
		"ada:s3cret@git.test":                  "git.test",
		"git@git.test:a/b.git":                 "git.test:a/b.git",
		`parse "https://ada:s3%zzcret@x": bad`: `parse "https://x": bad`,
		`parse "https://x/?s3cret=1": bad`:     `parse "https://x/": bad`,
	} {
		if got := text.Address(given); got != want {
			t.Errorf("Address(%q) = %q, want %q", given, got, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("https://", "ada:pass", "@host/path")
	f.Fuzz(func(t *testing.T, before, login, after string) {
		const canary = "s3cr3tcanary"
		if strings.Contains(before+login+after, canary) {
			return
		}
		for _, address := range []string{"https://" + login + canary + "@" + after, before + "?" + canary + "=" + after} {
			if !strings.Contains(before, "://") && strings.Contains(text.Address(address), canary) {
				t.Errorf("Address(%q) = %q", address, text.Address(address))
			}
		}
	})
}
