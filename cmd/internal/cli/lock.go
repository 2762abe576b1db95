package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pm-gitops/pm-gitops/cmd/internal/charts"
	"github.com/pm-gitops/pm-gitops/cmd/internal/fleet"
	"github.com/pm-gitops/pm-gitops/cmd/internal/folder"
	"github.com/pm-gitops/pm-gitops/cmd/internal/mirror"
	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/chart"
	"github.com/pm-gitops/pm-gitops/render/images"
	"github.com/pm-gitops/pm-gitops/render/lock"
	"github.com/pm-gitops/pm-gitops/render/pin"
	"github.com/pm-gitops/pm-gitops/render/ref"
	"github.com/pm-gitops/pm-gitops/render/text"
)

// lockFlags are the flags of a command that writes the locks of environments.
type lockFlags struct {
	lock          bool
	acceptChanged bool
}

func (o *lockFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.lock, "lock", false, "write the lock of each environment: the digests of all that it needs")
	flags.BoolVar(&o.acceptChanged, "accept-changed-digests", false, "with --lock: take other digests than the lock has for the same tags")
}

// refuse refuses flags that make no sense with those of a lock, and has environments
// planned by their tags where their lock is to be written.
func (o lockFlags) refuse(of *releaseFlags) error {
	of.unpinned = o.lock
	switch {
	case o.acceptChanged && !o.lock:
		return usageError{errors.New("--accept-changed-digests needs --lock")}
	case !o.lock:
	case len(of.releases) > 0:
		return usageError{fmt.Errorf("a lock is of whole environments: no release %q with --lock", of.releases[0])}
	case of.offline:
		return usageError{errors.New("digests are asked of registries: no --offline with --lock")}
	case of.dir != "":
		return usageError{errors.New("a lock has the charts of registries: no --chart-dir with --lock")}
	}
	return nil
}

// lockFile is the lock of an environment, as it is and as it will be.
type lockFile struct {
	plan   *render.Plan
	file   string // the environment's
	top    string // the repository's folder
	path   string // from there
	name   string // of the file, for messages
	before []byte // nil for none
	had    lock.Lock
	next   lock.Lock
}

// openLocks reads the locks of environments.
func openLocks(ctx context.Context, found foundNeeds) ([]*lockFile, error) {
	var all []*lockFile
	for i := range found.members {
		m := &found.members[i]
		top, err := fleet.RepositoryOf(m.File)
		if err != nil {
			return nil, err
		}
		one := &lockFile{plan: &m.Plan, file: m.File, top: top, path: m.Environment.LockFile()}
		one.name = filepath.Join(top, filepath.FromSlash(one.path))
		if working, err := os.Getwd(); err == nil {
			if near, err := filepath.Rel(working, one.name); err == nil {
				one.name = near
			}
		}
		switch one.before, err = fleet.Read(ctx, one.name, nil); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			if one.had, err = lock.Parse(one.name, one.before); err != nil {
				return nil, hinted{err, "Take the lock from Git again, or remove it: then the next one has nothing to be compared with."}
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// openOwnLocks reads the locks of environments that are to be written, each of one
// environment alone.
func openOwnLocks(ctx context.Context, found foundNeeds) ([]*lockFile, error) {
	all, err := openLocks(ctx, found)
	if err != nil {
		return nil, err
	}
	for i, one := range all {
		same := slices.IndexFunc(all, func(other *lockFile) bool { return other.top == one.top && other.path == one.path })
		if same < i {
			return nil, hinted{fmt.Errorf("%s and %s would both write the lock %s", all[same].file, one.file, one.name), "Give one of the environments another metadata.name or spec.delivery.path."}
		}
	}
	return all, nil
}

// lockCopies makes the next locks of what a mirror has, by the results of the copies.
func lockCopies(locks []*lockFile, found needs, results []mirror.Result) {
	for _, one := range locks {
		var charts, images []lock.Artifact
		for _, r := range results {
			if !slices.Contains(r.Environments, one.plan.Environment) || r.Digest == "" {
				continue
			}
			artifact := lock.Artifact{Source: mirror.SourceWithTag(r.Source, r.Target), Digest: r.Digest, Mirror: r.Target, Signature: r.Signature}
			if r.Kind == mirror.Chart {
				charts = append(charts, artifact)
			} else {
				images = append(images, artifact)
			}
		}
		one.next = lock.New(one.plan.Environment, charts, found.pin(one.plan, images))
	}
}

// lockNeeds makes the next locks of what registries have, by the digests that they gave.
// Signatures are not looked at: those of the same digests stay.
func lockNeeds(locks []*lockFile, found needs) {
	for _, one := range locks {
		var charts, all []lock.Artifact
		for _, c := range found.Charts {
			if slices.ContainsFunc(c.Uses, func(u chartUse) bool { return u.Environment == one.plan.Environment }) {
				charts = append(charts, one.artifact(c.Chart, c.Version, c.Digest))
			}
		}
		for _, image := range found.Images {
			if image.usedIn(one.plan.Environment) && image.Sure != string(images.Possible) {
				all = append(all, one.artifact(image.Name(), image.Tag, cmp.Or(image.Digest, image.Resolved)))
			}
		}
		one.next = lock.New(one.plan.Environment, charts, found.pin(one.plan, all)).WithSignatures(one.had)
	}
}

func (n neededImage) usedIn(environment string) bool {
	return slices.ContainsFunc(n.Uses, func(u imageUse) bool { return u.Environment == environment })
}

// artifact makes what a lock has of what is pulled from a place.
func (l lockFile) artifact(name, tag, digest string) lock.Artifact {
	made := lock.Artifact{Source: l.plan.LockedSource(name, cmp.Or(tag, "latest")), Digest: digest}
	if tag == "" && digest != "" {
		source, _ := l.plan.Original(name)
		made.Source = source + "@" + digest
	}
	if l.plan.Mirror() != "" {
		source, tag, digest := ref.Split(made.Source)
		made.Mirror = formatReference(l.plan.Mirrored(source), tag, digest)
	}
	return made
}

// pin adds the pins of images to their artifacts, for a plan.
func (n needs) pin(plan *render.Plan, all []lock.Artifact) []lock.Artifact {
	for _, image := range n.Images {
		source := plan.LockedSource(image.Name(), image.Tag)
		for i := range all {
			if all[i].Source == source && image.usedIn(plan.Environment) {
				all[i].Pins = append(all[i].Pins, image.pins[plan.Environment]...)
			}
		}
	}
	return all
}

// compare compares locks with those that are there: a tag that means something else than
// before is a finding, and then no lock is changed, unless that is accepted. The hint says
// whose digests are compared.
func (o lockFlags) compare(locks []*lockFile, hint string) error {
	var changed []error
	for _, one := range locks {
		for _, c := range one.had.Changes(one.next) {
			changed = append(changed, fmt.Errorf("%s is %s, and %s has %s", c.Source, c.Now, one.name, c.Locked))
		}
	}
	if changed == nil || o.acceptChanged {
		return nil
	}
	alarm := foundError{errors.New("tags mean something else than when they were locked: no lock was changed")}
	return errors.Join(append(changed, hinted{alarm, hint + "Find out why first. --accept-changed-digests takes the new ones."})...)
}

// writeLocks writes the next locks, those that are other ones.
func (a app) writeLocks(ctx context.Context, locks []*lockFile) error {
	for _, one := range locks {
		content, err := one.next.YAML()
		if err != nil {
			return err
		}
		if _, err := lock.Parse(one.name, content); err != nil {
			return fmt.Errorf("write %s: %w", one.name, err)
		}
		root, err := os.OpenRoot(one.top)
		if err != nil {
			return fmt.Errorf("open folder %s: %w", one.top, errors.Unwrap(err))
		}
		err = folder.PutLock(ctx, root, one.path, one.before, content)
		_ = root.Close()
		if err != nil {
			return err
		}
		a.err.Say("%s: %s and %s locked", one.name, text.Count(len(one.next.Charts), "chart"), text.Count(len(one.next.Images), "image"))
	}
	return nil
}

// lockImages writes the locks of what registries have.
func (a app) lockImages(ctx context.Context, o lockFlags, found foundNeeds) error {
	for _, image := range found.Images {
		if image.Problem != "" {
			return foundError{fmt.Errorf("%s, in %s: no lock was written", image.Problem, listUses(image.Uses, true))}
		}
	}
	locks, err := openOwnLocks(ctx, found)
	if err != nil {
		return err
	}
	lockNeeds(locks, found.needs)
	hint := ""
	if slices.ContainsFunc(locks, func(l *lockFile) bool { return l.plan.Mirror() != "" }) {
		hint = "The digests are those of the mirror, and of the source only where the mirror lacks something: the tag may have moved in the mirror alone. "
	}
	if err := o.compare(locks, hint); err != nil {
		return err
	}
	return a.writeLocks(ctx, locks)
}

// findPins finds the chart values that take the digests of a release's images.
func findPins(ctx context.Context, p planned, own charts.Chart, in chart.Input, found []images.Image) (map[string][]lock.Pin, error) {
	defaults, err := own.Defaults()
	if err != nil {
		return nil, err
	}
	pins, err := pin.Find(pin.Release{Key: p.Key, Defaults: defaults, Values: in.Values, Images: found, Render: func(values map[string]any) ([]chart.Object, error) {
		with := in
		with.Values = values
		all, err := own.RenderAll(ctx, with)
		return all.Objects, err
	}})
	return pins, cmp.Or(ctx.Err(), err)
}
