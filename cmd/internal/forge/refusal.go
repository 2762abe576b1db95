package forge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// again reports whether an answer asks for another attempt. A request that a limit
// refused was not done, whatever it is.
func (t *transport) again(resp *http.Response, req *http.Request, attempt int, err error) bool {
	switch {
	case isKind(err, Limited):
		return true
	case resp.StatusCode == http.StatusUnauthorized:
		return attempt == 1 // the token may have expired
	}
	return resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented && repeatable(req)
}

// secondary are words of GitHub's answer to too many requests in a short time.
const secondary = "secondary rate limit"

// limited reports whether an answer says that there were too many requests: 429, or
// GitHub's 403 with one of two headers or with words.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func limited(resp *http.Response, said string) bool {
	if resp.StatusCode == http.StatusTooManyRequests {
		return true
	}
	return resp.StatusCode == http.StatusForbidden &&
		(resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0" || strings.Contains(said, secondary))
}

// pause says how long to wait: as long as the answer asks, or twice as long each time. A
// secondary limit of GitHub that names no time takes a minute.
func (t *transport) pause(resp *http.Response, attempt int, err error) time.Duration {
	own := time.Second << (attempt - 1)
	if resp == nil || resp.StatusCode == http.StatusUnauthorized {
		return own
	}
	after := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		return max(time.Duration(seconds)*time.Second, own)
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(at.Sub(t.Now()), own)
	}
	// A secondary limit comes with the primary one's headers. GitLab's have another name:
	// https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/
	for _, limit := range []string{"X-RateLimit-", "RateLimit-"} {
		seconds, parseErr := strconv.ParseInt(resp.Header.Get(limit+"Reset"), 10, 64)
		if left := resp.Header.Get(limit + "Remaining"); parseErr == nil && isKind(err, Limited) && (left == "0" || left == "") {
			return max(time.Unix(seconds, 0).Sub(t.Now()), own)
		}
	}
	if isKind(err, Limited) && strings.Contains(err.Error(), secondary) {
		return max(time.Minute, own)
	}
	return own
}

// refusal gives the error for an answer that is no success. What the forge says is cut to a line.
func (t *transport) refusal(resp *http.Response) error {
	kind, why, said := Other, "", saying(resp)
	token, needs := "the token", ""
	if t.From != "" {
		token += " from " + t.From
	}
	switch code := resp.StatusCode; {
	case limited(resp, said):
		kind, why = Limited, "too many requests, and it asks to wait longer than "+longest.String()
	case code == http.StatusUnauthorized:
		kind, why = NoLogin, token+" is not taken: it is wrong, expired or revoked"
	case code == http.StatusForbidden:
		kind, why, needs = Forbidden, token+" may not do that", t.needs
	case code == http.StatusNotFound:
		kind, why, needs = NotFound, "there is no such repository or pull request, or "+token+" may not see it", t.needs
	case code == http.StatusConflict:
		kind, why = Exists, "it is there already"
	case code == http.StatusUnprocessableEntity && strings.Contains(said, "already exists"): // GitHub's
		kind, why = Exists, "it is there already"
	case code == http.StatusBadRequest && strings.Contains(said, "already changed"): // Gitea's
		kind, why = Changed, "another request changed it at the same moment"
	case code >= 500:
		kind, why = Unavailable, resp.Status
	default:
		kind, why = Refused, resp.Status
	}
	if said != "" {
		why += ": " + said
	}
	if needs != "" {
		why += "; it needs " + needs
	}
	return errorf(kind, "%s: %s", t.base.Host, why)
}

// needs names what a token of a product must be allowed to do, in the product's words.
// https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens,
// https://docs.gitlab.com/user/profile/personal_access_tokens/#personal-access-token-scopes and
// https://docs.gitea.com/development/oauth2-provider#scopes
func (p Product) needs() string {
	return map[Product]string{
		GitHub: `write access to "Contents" and "Pull requests" (classic tokens: repo)`,
		GitLab: "the scope api and the role Developer",
		Gitea:  "the scopes write:repository, write:issue and read:user",
	}[p]
}

// saying gives what a forge says in an error, in one line. GitHub and Gitea have message, and
// GitHub errors with a message each, or a field and a code; GitLab has message, which may be a list or lists by
// field, or error and error_description.
func saying(resp *http.Response) string {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var said struct {
		Message     json.RawMessage `json:"message"`
		Error       string          `json:"error"`
		Description string          `json:"error_description"`
		Errors      []struct {
			Message string `json:"message"`
			Field   string `json:"field"`
			Code    string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(raw, &said) != nil {
		return ""
	}
	parts := append(messages(said.Message), said.Error, said.Description)
	for _, each := range said.Errors {
		parts = append(parts, cmp.Or(each.Message, strings.TrimSpace(each.Field+" "+each.Code)))
	}
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, text.Clip(text.FirstLine(part)))
		}
	}
	return strings.Join(kept, "; ")
}

// messages reads a text, a list of texts, or such lists by field.
func messages(raw json.RawMessage) []string {
	var one string
	var many []string
	var fields map[string][]string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		return []string{one}
	case json.Unmarshal(raw, &many) == nil:
		return many
	case json.Unmarshal(raw, &fields) == nil:
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			many = append(many, fmt.Sprintf("%s %s", field, strings.Join(fields[field], ", ")))
		}
	}
	return many
}
