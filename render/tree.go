package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Tree is files by their path from the repository root, with slashes.
type Tree map[string][]byte

// Paths is the paths of the tree, sorted.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

// Digest is the digest of the whole tree, sha256:… in hexadecimal: of its paths
// and contents. Rendering is a function of its inputs, so trees of the same
// inputs have the same digest.
func (t Tree) Digest() string {
	var all strings.Builder
	for _, name := range t.Paths() {
		fmt.Fprintf(&all, "%s %s\n", Digest(t[name]), name)
	}
	return Digest([]byte(all.String()))
}

// Inventory is what an environment wrote, so that a later run knows its own
// files from those that a person changed or put there.
type Inventory struct {
	Environment string `json:"environment"`
	Target      string `json:"target"`
	// Releases is where Helm installed the protected releases, by key: another
	// place means a second installation.
	Releases map[string]InstalledAt `json:"releases"`
	// Files is path to digest, sha256:… in hexadecimal, of everything written but the inventory.
	Files map[string]string `json:"files"`
}

// InstalledAt is the identity of a Helm release.
type InstalledAt struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// InventoryFolder is the folder of inventories below a delivery path.
const InventoryFolder = ".pm-gitops"

// InventoryPath is where the inventory of an environment lies.
func InventoryPath(deliveryPath, environment string) string {
	return path.Join(deliveryPath, InventoryFolder, environment+".json")
}

// Digest is the digest of a file as inventories have it.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ParseInventory reads an inventory.
func ParseInventory(data []byte) (Inventory, error) {
	var inventory Inventory
	if err := json.Unmarshal(data, &inventory); err != nil {
		return Inventory{}, fmt.Errorf("parse inventory: %w", err)
	}
	return inventory, nil
}

// Cluster is the folder of clusters that the environment is written to.
func (i Inventory) Cluster() string {
	for file := range i.Files {
		if cluster, ok := i.clusterOf(file); ok {
			return cluster
		}
	}
	return ""
}

// clusterOf is the cluster whose controller is pointed at a file, if it is
// the environment's file for that.
func (i Inventory) clusterOf(file string) (string, bool) {
	folder, ok := strings.CutSuffix(file, "/prefect-"+i.Environment+".yaml")
	return path.Base(folder), ok && path.Dir(folder) == "clusters"
}

// Owns reports whether a file can be one of the inventory's, which lies below
// a delivery path: an inventory comes from the repository, and must not make
// us remove what is not ours.
func (i Inventory) Owns(deliveryPath, file string) bool {
	if path.Clean(file) != file {
		return false
	}
	if _, ok := i.clusterOf(file); ok {
		return true
	}
	return strings.HasPrefix(file, path.Join(deliveryPath, "base")+"/") ||
		strings.HasPrefix(file, path.Join(deliveryPath, "overlays", i.Environment)+"/")
}

func (t Tree) addInventory(plan Plan, target string) error {
	inventory := Inventory{Environment: plan.Environment, Target: target, Releases: map[string]InstalledAt{}, Files: map[string]string{}}
	for _, release := range plan.Releases() {
		if release.Protected {
			inventory.Releases[release.Key] = InstalledAt{release.Name, release.Namespace}
		}
	}
	for path, content := range t {
		inventory.Files[path] = Digest(content)
	}
	data, err := json.MarshalIndent(inventory, "", "  ")
	if err != nil {
		return fmt.Errorf("write the inventory of %s: %w", plan.Environment, err)
	}
	t[InventoryPath(plan.Path, plan.Environment)] = append(data, '\n')
	return nil
}
