package transport

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// What a URL decodes to is no further line for a credential helper (CVE-2020-5260).
func TestFieldsHaveNoLineBreaks(t *testing.T) {
	for _, code := range []string{"%0a", "%0A", "%0d", "%00", "%0d%0a"} {
		for _, url := range []string{
			"https://git.test" + code + "host=evil.test/a.git",
			"https://git.test/a.git" + code + "host=evil.test",
			"https://ada" + code + "host=evil.test@dev.azure.com/a.git",
			"https://[fe80::1%25" + code + "host=evil.test]/a.git",
			"ssh://ada" + code + "b@git.test/a.git",
			"ssh://git.test/a" + code + "b",
			"file:///a" + code + "b",
		} {
			sys := system(t, nil, helper(`username=ada\\npassword=`+canary+`\\n`))
			c, err := Open(context.Background(), sys, nil, url)
			var said *Error
			if !errors.As(err, &said) || said.Kind != BadURL || strings.ContainsAny(said.sentence, "\r\n\x00") {
				t.Errorf("Open(%s) = %v, %v", url, c, err)
			}
			if told, err := os.ReadFile(filepath.Join(sys.Getenv("HOME"), "told")); err == nil {
				t.Errorf("Open(%s): the helper was told %q", url, told)
			}
		}
	}
	for _, token := range []string{"a\nhost=evil.test", "a\rb", "a\x00b"} {
		sys := settings.System{Getenv: func(name string) string { return map[string]string{"GITHUB_TOKEN": token + canary}[name] }}
		for _, err := range []error{
			func() error { _, err := Open(context.Background(), sys, nil, "https://github.com/a/b"); return err }(),
			func() error { _, err := Describe(sys, nil, "https://github.com/a/b", true); return err }(),
		} {
			if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "GITHUB_TOKEN") {
				t.Errorf("a token with %q: %v", token, err)
			}
		}
	}
}

// An answer for another server is not sent to ours, nor one with more in it.
func TestAnswersOfHelpersAreForTheirServer(t *testing.T) {
	server := newHost(t, httptest.NewServer)
	for answer, want := range map[string]string{
		`username=ada\\npassword=` + canary + `\\n`:                  "",
		`host=evil.test\\nusername=ada\\npassword=` + canary + `\\n`: `answers for "evil.test" in place of ` + server.URL,
		`protocol=https\\nusername=ada\\npassword=` + canary + `\\n`: `answers for "https" in place of ` + server.URL,
		`username=ada\\npassword=` + canary + `\\rhost=evil.test\\n`: "the credentials from git credential have a line break",
		`username=a\\rpath=x\\npassword=` + canary + `\\n`:           "the credentials from git credential have a line break",
	} {
		sys := system(t, nil, "[credential]\n\tprotectProtocol = false\n"+helper(answer))
		c, err := Open(context.Background(), sys, nil, server.URL+"/a.git")
		if want == "" {
			if err != nil || c.login.Password != canary {
				t.Errorf("Open = %v, with %s", err, answer)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("Open = %v with %s, want %s", err, answer, want)
		}
	}
}

// No message has what may be a login of an address that does not parse.
func TestAddressesAreShownWithoutLogins(t *testing.T) {
	for _, url := range []string{
		"https://ada:" + canary + "%zz@git.test/a.git",
		"https://ada:x/" + canary + "@git.test:port/a.git",
		"https://ada:" + canary + "@git.test:port/a.git",
		"https://ada:" + canary + "@git.test/%zz",
		"https://ada:" + canary + " @git.test/a.git",
		"https://ada:" + canary + "\n@git.test/a.git",
		"https://git.test:port/a.git?token=" + canary,
		"https://git.test:port/a.git#" + canary,
		"ada:" + canary + "@git.test:a.git",
		"ssh://ada:" + canary + "@:22/a.git",
		"ftp://ada:" + canary + "@git.test/a.git",
		"-ada:" + canary + "@git.test",
	} {
		var said *Error
		if _, err := Open(context.Background(), system(t, nil, ""), nil, url); !errors.As(err, &said) || said.Kind != BadURL || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "ada") {
			t.Errorf("Open(%q) = %v", url, err)
		}
	}
	for _, proxy := range []string{"http://ada:x/" + canary + "@proxy.test:3128", "ada:x/" + canary + "@proxy.test:3128", "http://ada:" + canary + "%zz@proxy.test", "http://proxy.test:port?" + canary} {
		_, err := Open(context.Background(), system(t, nil, ""), settings.Config{{Key: "http.proxy", Value: proxy}}, "https://git.test/a.git")
		if err == nil || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "ada") || !strings.Contains(err.Error(), "is no address of a proxy") {
			t.Errorf("Open by the proxy %q: %v", proxy, err)
		}
	}
	for _, url := range []string{"ada:", "https:/ada:"} { // by the grammar, a path of the host ada or https
		if at, err := newAddress(url+canary+"@git.test/a.git", nil, false); err != nil || at.shown != "git.test/a.git" {
			t.Errorf("newAddress = %s, %v", at.shown, err)
		}
	}
	at, err := newAddress("https://git.test/a@b.git", nil, false)
	if err != nil || at.shown != "https://git.test/a@b.git" {
		t.Errorf("newAddress = %s, %v", at.shown, err)
	}
	c := &Connection{at: at}
	failed := &settings.GitError{Said: "fatal: unable to access 'https://git.test/': Unsupported proxy scheme for 'foo://ada:" + canary + "@proxy.test'"}
	for _, err := range []error{c.explainGit(failed), c.explain(context.Background(), errors.New("failed to parse Location header \"https://ada:"+canary+"@x y\""))} {
		if strings.Contains(err.Error(), canary) {
			t.Error(err)
		}
	}
}
