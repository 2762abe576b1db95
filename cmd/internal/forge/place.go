package forge

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Product is the software of a forge.
type Product string

// The products. Forgejo has the interface of Gitea.
const (
	GitHub Product = "github"
	GitLab Product = "gitlab"
	Gitea  Product = "gitea"
)

// Products lists the names of all products.
func Products() []string { return []string{string(GitHub), string(GitLab), string(Gitea)} }

// Place is a repository at a forge.
type Place struct {
	Product Product
	// Origin is such as https://github.com, with the folder that the forge lies in where it
	// has one. Nothing goes elsewhere, but for GitHub's API.
	Origin string
	Path   string // owner/name, for GitLab with any number of groups
}

// Locate finds the forge of a Git remote's URL: https, ssh or user@host:path. Product
// says which software it is; where it is empty, hosts that are known and what variables
// of continuous integration say decide. A forge that cannot be told is an error which
// names the setting.
func Locate(remote string, product Product, getenv func(string) string) (Place, error) {
	host, scheme, name, err := splitRemote(remote)
	if err != nil {
		return Place{}, err
	}
	if product == "" {
		product = productOf(host, getenv)
	}
	if product == "" {
		return Place{}, errorf(Other, "which forge %s is cannot be told: say delivery.git.forge: %s", text.Clip(host), text.OneOf(Products()))
	}
	place := Place{Product: product, Origin: strings.Replace(scheme, "ssh", "https", 1) + "://" + host, Path: name}
	if server := serverOf(product, host, getenv); server != nil {
		place = place.below(*server, scheme)
	}
	if product != GitLab && strings.Count(place.Path, "/") != 1 {
		return Place{}, errorf(Other, "the repository %s of %s: want owner/name", text.Clip(place.Path), text.Clip(host))
	}
	return place, nil
}

// below gives a place whose server a variable names: its folder, which is in the path of a
// remote over HTTP, and for SSH, which has another port, its origin.
func (p Place) below(server url.URL, scheme string) Place {
	folder := strings.TrimSuffix(path.Clean("/"+server.Path), "/")
	if scheme == "ssh" {
		p.Origin = fmt.Sprintf("%s://%s", server.Scheme, strings.ToLower(server.Host))
	} else if rest, inside := strings.CutPrefix("/"+p.Path, folder+"/"); inside {
		p.Path = rest
	} else {
		return p
	}
	p.Origin += folder
	return p
}

// splitRemote reads a Git remote. A host of SSH has its port taken off: the forge's API
// listens elsewhere. GitHub and GitLab have hosts for SSH through port 443:
// https://docs.github.com/en/authentication/troubleshooting-ssh/using-ssh-over-the-https-port and
// https://about.gitlab.com/blog/gitlab-dot-com-now-supports-an-alternate-git-plus-ssh-port/
func splitRemote(remote string) (host, scheme, name string, err error) {
	at, parseErr := url.Parse(remote)
	switch {
	case parseErr == nil && (at.Scheme == "https" || at.Scheme == "http"):
		host, scheme, name = at.Host, at.Scheme, at.Path
	case parseErr == nil && at.Scheme == "ssh":
		host, scheme, name = at.Hostname(), at.Scheme, at.Path
	case !strings.Contains(remote, "://") && strings.Contains(remote, ":"):
		host, name, _ = strings.Cut(remote, ":")
		host, scheme = host[strings.LastIndex(host, "@")+1:], "ssh"
	}
	host = strings.ToLower(host)
	if web := map[string]string{"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}[host]; scheme == "ssh" && web != "" {
		host = web
	}
	name = strings.TrimSuffix(strings.Trim(path.Clean("/"+name), "/"), ".git")
	if host == "" || !strings.Contains(name, "/") {
		return "", "", "", errorf(Other, "a forge cannot be found by this remote: want a URL of https or ssh with owner/name")
	}
	return host, scheme, name, nil
}

// productOf tells the software by the host. github.com, *.ghe.com and gitlab.com are
// their products'; the variables are those that the products set in their jobs, or that
// their own tools read.
func productOf(host string, getenv func(string) string) Product {
	switch {
	case host == "github.com" || strings.HasSuffix(host, ".ghe.com"):
		return GitHub
	case host == "gitlab.com":
		return GitLab
	case host == "codeberg.org" || host == "gitea.com":
		return Gitea
	}
	for _, product := range []Product{GitLab, Gitea, GitHub} {
		if serverOf(product, host, getenv) != nil {
			return product
		}
	}
	return ""
}

// serverOf gives the server that variables name for a host, or nil. Jobs of Gitea and Forgejo
// set GitHub's variable to their own server, and one more that says so:
// https://gitea.com/gitea/act_runner/src/branch/main/internal/app/run/runner.go
func serverOf(product Product, host string, getenv func(string) string) *url.URL {
	names := map[Product][]string{
		GitHub: {"GITHUB_SERVER_URL", "GH_HOST"},
		GitLab: {"CI_SERVER_URL", "GITLAB_HOST", "CI_SERVER_HOST"},
		Gitea:  {"GITEA_SERVER_URL"},
	}[product]
	if ours := getenv("GITEA_ACTIONS") == "true" || getenv("FORGEJO_ACTIONS") == "true"; ours && product == GitHub {
		names = []string{"GH_HOST"}
	} else if ours && product == Gitea {
		names = append(names, "GITHUB_SERVER_URL")
	}
	for _, name := range names {
		value := getenv(name)
		if value != "" && !strings.Contains(value, "://") {
			value = "https://" + value
		}
		at, err := url.Parse(value)
		if err == nil && at.Host != "" && (strings.EqualFold(at.Host, host) || strings.EqualFold(at.Hostname(), host)) {
			return at
		}
	}
	return nil
}

// owner gives the two parts of a path of two.
func (p Place) owner() (owner, name string) {
	owner, name, _ = strings.Cut(p.Path, "/")
	return owner, name
}

// host gives the host and port of the place's origin.
func (p Place) host() string {
	_, rest, _ := strings.Cut(p.Origin, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}
