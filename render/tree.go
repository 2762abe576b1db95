package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Tree is files by their path from the repository root, with slashes.
type Tree map[string][]byte

// Paths is the paths of the tree, sorted.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

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
