package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gittest"
)

// The settings for a URL, and the best of them, are those that git finds.
func TestSettingsForAURLAreThoseOfGit(t *testing.T) {
	w := gittest.New(t)
	patterns := []string{
		"https://git.test", "https://git.test/", "https://GIT.test", "HTTPS://git.test", "https://git.test:443", "https://git.test:0443", "https://git.test:8443",
		"http://git.test", "http://git.test:80", "https://*.test", "https://git.*", "https://*", "https://*.git.test", "https://g*.test", "https://ada@git.test",
		"https://ADA@git.test", "https://ada:secret@git.test/team", "https://git.test/te", "https://git.test/team", "https://git.test/team/", "https://git.test/te%61m",
		"https://git.test/x/../team", "https://git.test/team/./fleet.git", "https://git.test/Team", "https://git.test/team/fleet.git/", "https://git.test/team/fleet.git/x",
		"https://git.test/a b", "https://git.test/a%20b", "https://[::1]", "https://[::1]:443/team", "git.test", "//git.test", "https:git.test", "https://git.test:port", "ssh://git.test", "",
	}
	urls := []string{
		"https://git.test/team/fleet.git", "https://ada@git.test/team/fleet.git", "https://git.test:8443/team", "http://git.test/team", "https://a.git.test/x", "https://git.test", "https://ada@git.test/x", "https://git.test/a%20b/c",
		"https://Git.Test:443/x/../team/fleet.git", "https://[::1]/team", "https://git.test/teams/x", "https://git.test./team",
	}
	for range 2 {
		var file strings.Builder
		for i, pattern := range patterns {
			fmt.Fprintf(&file, "[http %q]\n\tk%d = 1\n\tbest = %d\n", pattern, i, i)
			if i == len(patterns)/2 {
				fmt.Fprintf(&file, "[http]\n\tbest = all\n")
			}
		}
		w.Write(".gitconfig", file.String())
		config, err := ReadConfig(system(w), FindGit(system(w), ""), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			out := w.Git(".", "config", "--get-urlmatch", "http", url)
			for i, pattern := range patterns {
				want := strings.Contains(out, fmt.Sprintf("http.k%d 1\n", i))
				if got := len(config.ForURL("http", "k"+strconv.Itoa(i), url)) == 1; got != want {
					t.Errorf("http.%s counts for %s: %v, for git %v", pattern, url, got, want)
				}
			}
			if got := "http.best " + Last(config.ForURL("http", "best", url)) + "\n"; !strings.Contains(out, got) {
				t.Errorf("for %s counts %s, git says\n%s", url, got, out)
			}
		}
		slices.Reverse(patterns)
	}
}
