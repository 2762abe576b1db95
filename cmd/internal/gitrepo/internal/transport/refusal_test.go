package transport

import (
	"slices"
	"strings"
	"testing"

	gotransport "github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/pm-gitops/pm-gitops/render/text"
)

func TestWordsOfRefusals(t *testing.T) {
	const where = "https://git.example.com/a/b.git"
	c := &Connection{at: address{&gotransport.Endpoint{Protocol: "https", Host: "git.example.com"}, where, where, ""}}
	const forbidden = "git.example.com knows the credentials, but they do not suffice for " + where + ": may they write there?"
	for _, test := range []struct {
		kind Kind
		text string
		got  Kind
		want string
	}{
		{Forbidden, "", Forbidden, forbidden},
		{Forbidden, "Forbidden\n", Forbidden, forbidden},
		{Forbidden, "\n\n <!DOCTYPE html>\n<html>", Forbidden, forbidden},
		{Forbidden, "mirror repository is read-only", Forbidden, forbidden + " (it says: mirror repository is read-only)"},
		{Forbidden, "remote: You are not allowed to push code to this project.\n", Forbidden, forbidden + " (it says: You are not allowed to push code to this project.)"},
		{Forbidden, "Push to create is not enabled for users.", NoRepository, "there is no repository " + where + ", or none that these credentials may see"},
		{Forbidden, "This repo is archived. You can view files and clone it, but cannot push", Rejected, where + " is archived: it takes no commits"},
		{Other, "ERROR: This repository was archived so it is read-only.\n", Rejected, where + " is archived: it takes no commits"},
		{Other, "ERROR: Repository not found.\nfatal: Could not read from remote repository.\n", NoRepository, "there is no repository " + where + ", or none that these credentials may see"},
		{Other, "remote: The project you were looking for could not be found or you don't have permission to view it.\n", NoRepository, "there is no repository " + where + ", or none that these credentials may see"},
		{Other, "error:\nerror: Cannot find repository: a/b\nerror:\n", NoRepository, "there is no repository " + where + ", or none that these credentials may see"},
		{Other, "ERROR: Permission to a/b.git denied to deploy-key.\n", Forbidden, forbidden + " (it says: Permission to a/b.git denied to deploy-key.)"},
		{Other, "ERROR: The key you are authenticating with has been marked as read only.\n", Forbidden, forbidden + " (it says: The key you are authenticating with has been marked as read only.)"},
		{Other, "error: ===\nerror:\nerror: User permission denied for writing.\r\nerror:\n", Forbidden, forbidden + " (it says: User permission denied for writing.)"},
		{Other, "come back\x1b[31m later\n", Other, where + " does not let us in (it says: come back\\x1b[31m later)"},
		{Other, strings.Repeat("x", 1<<16), Other, where + " does not let us in (it says: " + text.Clip(strings.Repeat("x", 1<<16)) + ")"},
	} {
		got := c.explainRefusal(test.kind, test.text)
		if got.Kind != test.got || got.Error() != test.want {
			t.Errorf("%.60q: kind %d, %s\nwant kind %d, %s", test.text, got.Kind, got, test.got, test.want)
		}
	}
}

// A server may not fill the screen.
func TestRemarksAreBounded(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for given, want := range map[string][]string{
		"":                                {},
		strings.Repeat("a\n", 40):         slices.Repeat([]string{"a"}, 40),
		strings.Repeat("a\n", 50):         append(slices.Repeat([]string{"a"}, 40), "… 10 more lines"),
		strings.Repeat(long+"\n", 3):      {long, long, "… 1 more line"},
		"Resolving deltas: 100%, done.\n": {},
		"a\u202eb ##vso[task]\n":          {`a\u202eb ## vso[task]`},
	} {
		if got := remarks(given); !slices.Equal(got, want) {
			t.Errorf("remarks(%.60q) = %.90q, want %.90q", given, got, want)
		}
	}
}
