package gitrepo

import (
	"context"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/transport"
)

// OpenRemote looks for credentials for a URL of https, ssh or file; nothing is
// asked of the server yet. Errors are a [transport.Error].
func OpenRemote(ctx context.Context, sys System, url string, o RemoteOptions) (*Remote, error) {
	git := settings.FindGit(sys, "")
	config, err := settings.ReadConfig(sys, git, "")
	if err != nil {
		return nil, err
	}
	return openRemote(ctx, &settings.Identities{Sys: sys, Git: git, Config: config}, url, o)
}

// Remote opens a branch of the repository that HEAD's branch is pushed to, with the
// identity and the logins of the checkout. Several such repositories are an error.
func (l *Local) Remote(ctx context.Context, o RemoteOptions) (*Remote, error) {
	urls, err := l.pushURLs()
	switch {
	case err != nil:
		return nil, err
	case len(urls) > 1:
		return nil, transport.Errorf(transport.Misconfigured, "git push goes to %d repositories, and a branch that is not checked out to one: name it with --repo", len(urls))
	}
	return openRemote(ctx, l.who, urls[0], o)
}

func openRemote(ctx context.Context, who *settings.Identities, url string, o RemoteOptions) (*Remote, error) {
	for _, name := range []*string{&o.Branch, &o.From} {
		var err error
		if *name, err = branchName(*name); err != nil {
			return nil, err
		}
	}
	conn, err := transport.Open(ctx, who.Sys, who.Config, url)
	if err != nil {
		return nil, err
	}
	return &Remote{sys: who.Sys, connection: conn, config: who.Config, who: who, branch: o.Branch, from: o.From}, nil
}

// Branch returns the branch of a [Remote] whose newest commit it is; empty of a [Local].
func (b *Base) Branch() string { return b.branch }
