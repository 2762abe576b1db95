package giteatest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

// User is somebody with an account.
type User struct {
	Name     string
	Password string // it is found in nothing else
	server   *Server
}

// NewUser makes an account with a name of its own.
func (s *Server) NewUser(t testing.TB) *User {
	t.Helper()
	u := &User{Name: fmt.Sprintf("user%d", s.users.Add(1)), Password: secret(), server: s}
	s.admin.Do(t, "POST", "/admin/users", map[string]any{
		"username": u.Name, "email": u.Name + "@example.com", "password": u.Password, "must_change_password": false,
	}, nil)
	return u
}

// Do asks the API, as the user, and reads the answer into something that is not
// nil. The path begins after /api/v1. The test ends if the answer is no success.
// https://docs.gitea.com/api/1.24/
func (u *User) Do(t testing.TB, method, path string, body, answer any) {
	t.Helper()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, u.server.URL+"/api/v1"+path, content)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(u.Name, u.Password)
	request.Header.Set("Content-Type", "application/json")
	response, err := u.server.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("gitea: %s %s: %s %v\n%s", method, path, response.Status, err, text)
	}
	if answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatalf("gitea: %s %s: %v", method, path, err)
		}
	}
}

// Token is a token of a user's.
type Token struct {
	ID     int64  `json:"id"`
	Secret string `json:"sha1"`
}

// NewToken makes a token that may do something: read:repository, write:repository,
// and so on. https://docs.gitea.com/development/oauth2-provider#scopes
func (u *User) NewToken(t testing.TB, scopes ...string) Token {
	t.Helper()
	var token Token
	u.Do(t, "POST", "/users/"+u.Name+"/tokens", map[string]any{"name": secret(), "scopes": scopes}, &token)
	return token
}

// Revoke takes a token back.
func (u *User) Revoke(t testing.TB, token Token) {
	t.Helper()
	u.Do(t, "DELETE", fmt.Sprintf("/users/%s/tokens/%d", u.Name, token.ID), nil, nil)
}

// AddKey lets whoever has an SSH key in as the user.
func (u *User) AddKey(t testing.TB, key ssh.PublicKey) {
	t.Helper()
	u.Do(t, "POST", "/user/keys", map[string]any{"title": secret(), "key": string(ssh.MarshalAuthorizedKey(key))}, nil)
}

// NewRepository makes an empty repository that only its owner sees, and gives its
// URL.
func (u *User) NewRepository(t testing.TB, name string) string {
	t.Helper()
	u.Do(t, "POST", "/user/repos", map[string]any{"name": name, "private": true, "default_branch": "main"}, nil)
	return u.URL(name)
}

// URL is where a repository of the user's is, by HTTPS.
func (u *User) URL(repository string) string {
	return u.server.URL + "/" + u.Name + "/" + repository + ".git"
}

// CA is the file of the certificate to trust.
func (u *User) CA() string { return u.server.CA }

// Share gives somebody else a permission in a repository: read, write or admin.
func (u *User) Share(t testing.TB, repository string, with *User, permission string) {
	t.Helper()
	u.Do(t, "PUT", "/repos/"+u.Name+"/"+repository+"/collaborators/"+with.Name, map[string]any{"permission": permission}, nil)
}

// Protect lets nobody push to a branch.
func (u *User) Protect(t testing.TB, repository, branch string) {
	t.Helper()
	u.Do(t, "POST", "/repos/"+u.Name+"/"+repository+"/branch_protections", map[string]any{"rule_name": branch, "enable_push": false}, nil)
}

// Archive makes a repository read-only.
func (u *User) Archive(t testing.TB, repository string) {
	t.Helper()
	u.Do(t, "PATCH", "/repos/"+u.Name+"/"+repository, map[string]any{"archived": true}, nil)
}

// Publish lets everybody read a repository.
func (u *User) Publish(t testing.TB, repository string) {
	t.Helper()
	u.Do(t, "PATCH", "/repos/"+u.Name+"/"+repository, map[string]any{"private": false}, nil)
}

// AddDeployKey lets whoever has an SSH key read one repository.
func (u *User) AddDeployKey(t testing.TB, repository string, key ssh.PublicKey) {
	t.Helper()
	u.Do(t, "POST", "/repos/"+u.Name+"/"+repository+"/keys", map[string]any{"title": secret(), "key": string(ssh.MarshalAuthorizedKey(key)), "read_only": true}, nil)
}

// Disable takes the user's account away.
func (u *User) Disable(t testing.TB) {
	t.Helper()
	u.server.admin.Do(t, "PATCH", "/admin/users/"+u.Name, map[string]any{"login_name": u.Name, "source_id": 0, "prohibit_login": true}, nil)
}

// Folder is where the server keeps a repository: for git to judge what is in it.
func (u *User) Folder(repository string) string {
	return filepath.Join(u.server.dir, "data", "gitea-repositories", u.Name, repository+".git")
}

// Header is the user's login, as http.extraHeader of Git's configuration: so git
// comes in where its helpers and tokens are not what is tested.
func (u *User) Header() string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.Name+":"+u.Password))
}
