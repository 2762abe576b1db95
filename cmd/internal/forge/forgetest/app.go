package forgetest

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// App is a GitHub App as https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
// describes it. Its tokens last for an hour.
type App struct {
	ID, Slug     string
	Key          *rsa.PublicKey
	Now          func() time.Time // GitHub's clock
	Repositories []string         // those of its installation, by name; none if it is not installed
	Token        func(n int) string
}

// Installation is the number of an App's installation.
const Installation = 4711

// issued is a token, and when it ends.
type issued struct {
	token string
	ends  time.Time
}

// Revoke ends the tokens of the App.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued = nil
}

// asApp reports whether a request wants the App's JSON Web Token.
func asApp(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/v3/app") || strings.HasSuffix(r.URL.Path, "/installation")
}

// refuse says what is wrong with a token, or with the claims of a JSON Web Token.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
func (a *App) refuse(s *Server, r *http.Request, login string) string {
	if !asApp(r) {
		if !slices.ContainsFunc(s.issued, func(one issued) bool { return one.token == login && a.Now().Before(one.ends) }) {
			return "Bad credentials"
		}
		return ""
	}
	var claims jwt.RegisteredClaims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(login, &claims, func(*jwt.Token) (any, error) { return a.Key, nil })
	switch {
	case err != nil || claims.Issuer != a.ID:
		return "A JSON web token could not be decoded"
	case claims.IssuedAt == nil || claims.IssuedAt.After(a.Now()):
		return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	case claims.ExpiresAt == nil || claims.ExpiresAt.Before(a.Now()):
		return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	case claims.ExpiresAt.After(a.Now().Add(10 * time.Minute)):
		return "'Expiration time' claim ('exp') is too far in the future"
	}
	return ""
}

// serve follows https://docs.github.com/en/rest/apps/apps
func (a *App) serve(s *Server, mux *http.ServeMux) {
	// #get-the-authenticated-app
	mux.HandleFunc("GET /api/v3/app", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]any{"id": 1, "slug": a.Slug})
	})
	// #get-a-repository-installation-for-the-authenticated-app
	mux.HandleFunc("GET /api/v3/repos/o/{name}/installation", func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(a.Repositories, r.PathValue("name")) {
			answer(w, 404, map[string]string{"message": "Not Found"})
			return
		}
		answer(w, 200, map[string]any{"id": Installation, "app_slug": a.Slug})
	})
	// #create-an-installation-access-token-for-an-app
	mux.HandleFunc("POST /api/v3/app/installations/{id}/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			Repositories  []string          `json:"repositories"`
			RepositoryIDs []int             `json:"repository_ids"`
			Permissions   map[string]string `json:"permissions"`
		}
		s.read(r, &sent)
		switch {
		case r.PathValue("id") != fmt.Sprint(Installation) || len(a.Repositories) == 0:
			answer(w, 404, map[string]string{"message": "Not Found"})
		case slices.ContainsFunc(sent.Repositories, func(name string) bool { return !slices.Contains(a.Repositories, name) }):
			answer(w, 422, map[string]string{"message": "There is at least one repository that does not exist or is not accessible to the parent installation."})
		case len(sent.Repositories) == 0:
			s.t.Errorf("a token for all repositories of an installation")
		default:
			made := issued{a.Token(len(s.issued) + 1), a.Now().Add(time.Hour)}
			s.issued = append(s.issued, made)
			answer(w, 201, map[string]any{"token": made.token, "expires_at": made.ends.Format(time.RFC3339), "permissions": map[string]string{"contents": "write", "pull_requests": "write"}})
		}
	})
}
