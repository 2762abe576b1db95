package gitrepo

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// Replace makes one commit anew.
func (r *Remote) replace(lease string, prepare prepare, o CommitOptions) (Result, error) {
	results, err := r.Replace(context.Background(), lease, func(ctx context.Context, base *Base) ([]Draft, error) {
		changes, err := prepare(ctx, base)
		return []Draft{{changes, o.Message}}, err
	}, o)
	return append(results, Result{})[0], err
}

func TestReplaceMakesABranchAnewUnderALease(t *testing.T) {
	transports(t, func(t *testing.T, w *world, url string) {
		w.origin("origin", base)
		r := w.remote(url, RemoteOptions{Branch: "pm-gitops/prod"})
		first, err := r.replace("", always(map[string]string{"a": "1\n"}), said("first"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.replace("", always(ours), said("no")); !errors.Is(err, ErrMoved) {
			t.Errorf("without a lease: %v", err)
		}
		second, err := r.replace(first.Hash, always(map[string]string{"b": "2\n"}), said("second"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(w.git("origin", "log", "--format=%s", "pm-gitops/prod")), " "); got != "second base" {
			t.Errorf("log = %s", got)
		}
		if _, err := r.replace(first.Hash, always(ours), said("no")); !errors.Is(err, ErrMoved) {
			t.Errorf("with an old lease: %v", err)
		}
		if _, err := r.replace(second.Hash, always(base), said("no")); !errors.Is(err, ErrUnchanged) {
			t.Errorf("with nothing to change: %v", err)
		}
		if got := w.git("origin", "rev-parse", "pm-gitops/prod"); got != second.Hash+"\n" {
			t.Errorf("the branch is at %s, want %s", got, second.Hash)
		}
	})
}

// A branch that was moved between our look and our push is not forced.
func TestReplaceLosesARace(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	r := w.remote("file://"+w.home+"/origin", RemoteOptions{Branch: "pm-gitops/prod"})
	first, err := r.replace("", always(map[string]string{"a": "1\n"}), said("first"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.replace(first.Hash, func(ctx context.Context, on *Base) (Changes, error) {
		w.git("origin", "update-ref", "refs/heads/pm-gitops/prod", "main")
		return always(ours)(ctx, on)
	}, said("no"))
	if got := w.git("origin", "rev-parse", "pm-gitops/prod"); !errors.Is(err, ErrMoved) || got != w.git("origin", "rev-parse", "main") {
		t.Errorf("Replace = %v, the branch is at %s", err, got)
	}
}

func TestReplaceNeverForcesItsBase(t *testing.T) {
	w := newWorld(t)
	w.origin("origin", base)
	w.git("origin", "branch", "release")
	at := strings.TrimSpace(w.git("origin", "rev-parse", "main"))
	for name, o := range map[string]RemoteOptions{
		"the default branch":       {Branch: "main"},
		"what it starts from":      {Branch: "release", From: "release"},
		"a branch without a name ": {},
	} {
		if _, err := w.remote("file://"+w.home+"/origin", o).replace(at, always(ours), said("no")); err == nil {
			t.Errorf("%s was made anew", name)
		}
	}
	if got := strings.TrimSpace(w.git("origin", "rev-parse", "main")) + strings.TrimSpace(w.git("origin", "rev-parse", "release")); got != at+at {
		t.Errorf("branches are at %s", got)
	}
}
