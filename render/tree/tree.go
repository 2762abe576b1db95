// Package tree holds the files that are rendered, by their paths, and the
// inventory: the file in which an environment notes which files are its own.
package tree

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

// Paths returns the paths of the tree, sorted.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

// Digest computes the digest of the whole tree, sha256:… in hexadecimal: of its
// paths and contents. Rendering is a function of its inputs, so trees of the same
// inputs have the same digest.
func (t Tree) Digest() string {
	var all strings.Builder
	for _, name := range t.Paths() {
		fmt.Fprintf(&all, "%s %s\n", Digest(t[name]), name)
	}
	return Digest([]byte(all.String()))
}

// Inventory lists the files that an environment wrote, so that a later run knows
// its own files from those that a person changed or put there.
type Inventory struct {
	Environment string `json:"environment"`
	Target      string `json:"target"`
	// Releases says where Helm installed the protected releases, by key: another
	// place means a second installation.
	Releases map[string]InstalledAt `json:"releases"`
	// Files maps each path to its digest, sha256:… in hexadecimal, but for the inventory's own.
	Files map[string]string `json:"files"`
}

// InstalledAt is the identity of a Helm release.
type InstalledAt struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// InventoryFolder is the folder of inventories below a delivery path.
const InventoryFolder = ".pm-gitops"

// InventoryPath returns the path of the inventory of an environment.
func InventoryPath(deliveryPath, environment string) string {
	return path.Join(deliveryPath, InventoryFolder, environment+".json")
}

// LockPath returns the path of the lock of an environment: it lies beside the
// inventory, which does not list it.
func LockPath(deliveryPath, environment string) string {
	return path.Join(deliveryPath, InventoryFolder, environment+lockSuffix)
}

const lockSuffix = ".lock.yaml"

// IsLock reports whether a file is the lock of an environment, by its path.
func IsLock(name string) bool {
	return path.Base(path.Dir(name)) == InventoryFolder && strings.HasSuffix(name, lockSuffix)
}

// InventoryOf returns the path of the inventory beside a lock.
func InventoryOf(lock string) string { return strings.TrimSuffix(lock, lockSuffix) + ".json" }

// IsInventory reports whether a file is the inventory of an environment, by its path.
func IsInventory(name string) bool {
	return path.Base(path.Dir(name)) == InventoryFolder && strings.HasSuffix(name, ".json")
}

// Digest computes the digest of a file as inventories have it.
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

// Cluster returns the folder of clusters that the environment is written to, or
// the empty text if none of the files says so.
func (i Inventory) Cluster() string {
	for file := range i.Files {
		if cluster, ok := i.clusterOf(file); ok {
			return cluster
		}
	}
	return ""
}

// clusterOf returns the cluster whose controller is pointed at a file, if it is
// the environment's file for that.
func (i Inventory) clusterOf(file string) (string, bool) {
	folder, ok := strings.CutSuffix(file, "/prefect-"+i.Environment+".yaml")
	return path.Base(folder), ok && path.Dir(folder) == "clusters"
}

// AddInventory writes the inventory into the tree, below the delivery path,
// with the digests of all files that the tree has by now.
func (t Tree) AddInventory(deliveryPath string, inventory Inventory) error {
	inventory.Files = map[string]string{}
	for name, content := range t {
		inventory.Files[name] = Digest(content)
	}
	data, err := json.MarshalIndent(inventory, "", "  ")
	if err != nil {
		return fmt.Errorf("write the inventory of %s: %w", inventory.Environment, err)
	}
	t[InventoryPath(deliveryPath, inventory.Environment)] = append(data, '\n')
	return nil
}
