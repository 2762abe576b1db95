package forge

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Open gives the forge of a place. It asks the forge nothing.
func Open(at Place, o Options) (Forge, error) {
	base, err := url.Parse(apiOf(at))
	if err != nil {
		return nil, errorf(Other, "%s is no address of a forge", at.Origin)
	}
	client := &http.Client{Transport: &transport{o, base, at.Product.needs()}}
	switch at.Product {
	case GitHub:
		return newGitHub(at, base, client, o.Account)
	case GitLab:
		return &gitlab{at: at, base: base, client: client}, nil
	case Gitea:
		return &giteaForge{at: at, client: client, page: 50}, nil
	}
	return nil, errorf(Other, "unknown forge %q", at.Product)
}

// apiOf gives the address of a forge's API: GitHub has hosts of its own for it, and a
// path on Enterprise Server.
// https://docs.github.com/en/enterprise-server@3.18/rest/quickstart
func apiOf(at Place) string {
	host := at.host()
	switch {
	case at.Product == GitLab:
		return at.Origin + "/api/v4/"
	case at.Product == Gitea:
		return at.Origin + "/api/v1/"
	case host == "github.com":
		return "https://api.github.com/"
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://api." + host + "/"
	}
	return at.Origin + "/api/v3/"
}

// Authorization gives the header for a token as a product wants it: GitHub and GitLab take
// OAuth's form for every kind of token, Gitea has a word of its own.
func (p Product) Authorization(token string) string {
	if p == Gitea {
		return "token " + token
	}
	return fmt.Sprintf("Bearer %s", token)
}
