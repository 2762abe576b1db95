// Package render turns an environment file into the manifests of a delivery
// system. [Parse] reads the file, [NewPlan] puts its releases into waves, and
// [Render] writes the plan down for a [Target].
//
// The package touches no disk, network, clock, randomness or environment
// variable: the same input gives the same bytes.
package render

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/pm-gitops/pm-gitops/render/tree"
)

// Target is a delivery system that manifests are written for.
type Target interface {
	// Name is what --target takes, and the folder of its bases.
	Name() string
	// Traits describes the delivery system, in the releases that an environment
	// names. What does not depend on them is the same for every Delivery.
	Traits(Delivery) Traits
	// Files is the files of a plan in the order in which their objects reach
	// the cluster, all of them in the layout of its traits. The error is
	// [Problems] or says what the target cannot do.
	Files(Plan) ([]File, error)
}

// File is the manifests of one file, or any other file: it has Objects or
// Content.
type File struct {
	Path    string // from the repository root, with slashes
	Objects []any  // typed Kubernetes objects and kustomizations, one document each
	Content []byte // is written as it is, and never applied
	// Applied is where the objects go when a controller is pointed at the file
	// or, for a kustomization.yaml, at its folder: a place as messages name it,
	// such as [Plan.ClusterPlace]. It is empty for what only others include.
	Applied string
}

// Rendering is an environment as a delivery system reads it.
type Rendering struct {
	Environment string
	Tree        tree.Tree // every file, with the inventory
	// Manifests is what reaches the cluster, in order: files that the
	// controller reads as they are, and overlays as kustomize builds them.
	Manifests []Manifest

	name   Problem // at the environment's name, without a message
	claims []claim
}

// Manifest is YAML that reaches the cluster.
type Manifest struct {
	Source string // the file or the folder of the overlay
	YAML   []byte
}

// Render writes a plan down for a target and builds every overlay: one that
// does not build is an error, and so is what the lock of a pinned one lacks. Nothing touches a disk, and the same plan gives
// the same bytes.
func Render(plan Plan, target Target) (Rendering, error) {
	if err := plan.Unlocked.Err(); err != nil {
		return Rendering{}, err
	}
	go ready() // beside what comes before the overlays
	files, err := target.Files(plan)
	if err != nil {
		return Rendering{}, err
	}
	tree, err := plan.write(files, target)
	if err != nil {
		return Rendering{}, fmt.Errorf("render %s for %s: %w", plan.Environment, target.Name(), err)
	}
	manifests, claims, err := build(tree, files)
	if err != nil {
		return Rendering{}, err
	}
	if err := tree.AddInventory(plan.Path, plan.inventory(target)); err != nil {
		return Rendering{}, err
	}
	if locked, pinned := plan.Lock(); pinned {
		tree[plan.env.LockFile()] = locked.Data()
	}
	return Rendering{
		Environment: plan.Environment,
		Tree:        tree,
		Manifests:   manifests,
		name:        plan.Problem("metadata.name", ""),
		claims:      plan.claims(claims),
	}, nil
}

// write marshals the files of a target. A file outside of the target's layout
// is an error, since a later run would not dare to change it.
func (p Plan) write(files []File, target Target) (tree.Tree, error) {
	layout, written := target.Traits(p.Delivery).Layout, tree.Tree{}
	for _, file := range files {
		content, err := file.bytes()
		switch _, twice := written[file.Path]; {
		case twice:
			return nil, fmt.Errorf("%s is written twice", file.Path)
		case !layout.Owns(p.Path, p.Environment, file.Path):
			return nil, fmt.Errorf("%s is not in the layout of the target", file.Path)
		case err != nil:
			return nil, fmt.Errorf("write %s: %w", file.Path, err)
		}
		written[file.Path] = content
	}
	return written, nil
}

// bytes returns what is written into the file.
func (f File) bytes() ([]byte, error) {
	switch {
	case f.Content == nil && f.Objects == nil:
		return nil, errors.New("it has neither objects nor plain content")
	case f.Content == nil:
		return marshalAll(f.Objects)
	case f.Objects != nil:
		return nil, errors.New("it has both objects and plain content")
	case f.Applied != "":
		return nil, errors.New("plain content is not applied")
	}
	return f.Content, nil
}

// inventory makes the inventory of the plan for a target, without files.
func (p Plan) inventory(target Target) tree.Inventory {
	releases := map[string]tree.InstalledAt{}
	for _, release := range p.Releases() {
		if release.Protected {
			releases[release.Key] = tree.InstalledAt{Name: release.Name, Namespace: release.Namespace}
		}
	}
	return tree.Inventory{Environment: p.Environment, Target: target.Name(), Releases: releases}
}

// Overlay is the folder of one part of the environment: a release's key,
// prereqs, or the empty text for the folder above them all.
func (p Plan) Overlay(part string) string {
	return path.Join(p.Path, "overlays", p.Environment, part)
}

// Base is the folder of what no environment changes, for one target. Its
// content is fixed for ever: another content is another version beside it, so
// that rendering one environment never changes what another gets.
func (p Plan) Base(target, part string) string { return path.Join(p.Path, "base", "v1", target, part) }

// ClusterFile is the file that the controller is pointed at.
func (p Plan) ClusterFile() string {
	return path.Join("clusters", p.Cluster, "prefect-"+p.Environment+".yaml")
}

// ClusterPlace is the cluster that the environment's folder is for, as a place.
func (p Plan) ClusterPlace() string { return fmt.Sprintf("cluster %q", p.Cluster) }

// build gives what reaches the cluster: files as they are, and overlays, with
// all that they include, as kustomize builds them; and the objects in it.
// Overlays are built side by side: together they are most of the time that
// rendering takes.
func build(tree tree.Tree, files []File) ([]Manifest, []claim, error) {
	kustomize, err := newBuilder(tree)
	if err != nil {
		return nil, nil, err
	}
	manifests, objects, failures := make([]Manifest, len(files)), make([][]identity, len(files)), make([]error, len(files))
	var overlays sync.WaitGroup
	for i, file := range files {
		switch folder, name := path.Split(file.Path); {
		case file.Applied == "":
		case name != kustomizationFile:
			manifests[i] = Manifest{file.Path, tree[file.Path]}
			objects[i], failures[i] = identify(file.Objects)
		default:
			folder = path.Clean(folder)
			overlays.Go(func() {
				manifests[i].Source = folder
				manifests[i].YAML, objects[i], failures[i] = kustomize.build(folder)
			})
		}
	}
	overlays.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, nil, err
	}
	var claims []claim
	for i, file := range files {
		for _, object := range objects[i] {
			claims = append(claims, claim{file.Applied, object})
		}
	}
	return slices.DeleteFunc(manifests, func(m Manifest) bool { return m.Source == "" }), claims, nil
}
