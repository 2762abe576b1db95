package gitrepo

import (
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
)

// series is commits that are made, one on top of the other.
type series struct {
	remote  *Remote
	base    *Base
	at      plumbing.Hash // the last commit
	tree    plumbing.Hash // its tree
	objects object.Set
}

// add makes a commit, unless it would change nothing.
func (s *series) add(ctx context.Context, changes Changes, o CommitOptions) (Result, error) {
	b, tree, err := s.build(ctx, changes, o)
	if err != nil {
		return Result{}, err
	}
	s.objects = b.objects
	if len(b.written)+len(b.removed) == 0 {
		return Result{}, nil
	}
	made, _, err := commitObject(ctx, signer{s.remote.connection.sys, s.remote.config, s.remote.who, o.Sign}, tree, parentsOf(s.at), o)
	if err != nil {
		return Result{}, err
	}
	s.at, s.tree = s.objects.Add(plumbing.CommitObject, made), tree
	return Result{Hash: s.at.String(), Written: b.written, Removed: b.removed}, nil
}

// build makes the trees. What the base's .gitattributes and .gitignore say counts
// as it does in a checkout; nobody's own do.
func (s *series) build(ctx context.Context, changes Changes, o CommitOptions) (*builder, plumbing.Hash, error) {
	root, err := newEdit(changes, func(name string) string { return name })
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if err := s.base.warm(ctx, root); err != nil {
		return nil, plumbing.ZeroHash, err
	}
	said, err := s.base.said(ctx, changes.Write.Paths(), ".gitattributes", ".gitignore")
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	b := newBuilder(nil, converter{attributes: newAttributes(said).of}, false)
	b.objects = s.objects
	b.from = layered{&b.objects, lazyStore{ctx, s.base}} // what this one makes included
	tree, err := b.commit(s.tree, root)
	if err != nil {
		return nil, tree, err
	}
	if !o.IncludeIgnored {
		news := slices.DeleteFunc(slices.Clone(b.written), func(name string) bool { _, known := b.before[name]; return known })
		err = ignoredOf(newIgnores(said).rule, news)
	}
	if tree.IsZero() {
		tree = b.objects.Add(plumbing.TreeObject, nil)
	}
	return b, tree, errors.Join(errors.Join(b.problems...), err)
}

// layered reads what was made, and else what is stored.
type layered struct {
	made *object.Set
	object.Store
}

func (l layered) EncodedObject(kind plumbing.ObjectType, hash plumbing.Hash) (plumbing.EncodedObject, error) {
	if made, found := l.made.Find(hash); found {
		return made, nil
	}
	return l.Store.EncodedObject(kind, hash)
}
