package gitrepo

import (
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/object"
	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// series makes commits, one on top of the other.
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
	s.objects = b.Objects
	if len(b.Written)+len(b.Removed) == 0 {
		return Result{}, nil
	}
	made, _, err := signer{s.remote.sys, s.remote.config, s.remote.who, o.Sign}.makeCommit(ctx, tree, s.at, o)
	if err != nil {
		return Result{}, err
	}
	s.at, s.tree = s.objects.Add(plumbing.CommitObject, made), tree
	return Result{Hash: s.at.String(), Written: b.Written, Removed: b.Removed}, nil
}

// build makes the trees. The base's .gitattributes and .gitignore count as they do in a
// checkout; those of the user's own settings do not.
func (s *series) build(ctx context.Context, changes Changes, o CommitOptions) (*object.Builder, plumbing.Hash, error) {
	root, err := object.NewEdit(changes.Write, changes.Remove, "")
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	if err := s.base.warm(ctx, root); err != nil {
		return nil, plumbing.ZeroHash, err
	}
	read, err := s.base.readAbove(ctx, changes.Write.Paths(), ".gitattributes", ".gitignore")
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	b := object.NewBuilder(lazyStore{ctx, s.base}, settings.Converter{Attributes: settings.NewAttributes(read).Of}.ToGit, false)
	b.Objects = s.objects // what the series made so far
	tree, err := b.Apply(s.tree, root)
	if err != nil {
		return nil, tree, err
	}
	if !o.IncludeIgnored {
		news := slices.DeleteFunc(slices.Clone(b.Written), func(name string) bool { _, known := b.Before[name]; return known })
		err = settings.RefuseIgnored(settings.NewIgnores(read).IgnoredBy, news)
	}
	if tree.IsZero() {
		tree = b.Objects.Add(plumbing.TreeObject, nil)
	}
	return b, tree, errors.Join(errors.Join(b.Problems...), err)
}
