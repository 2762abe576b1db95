package transport

import (
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
)

// A small pack with very much of nothing in it does not fill the memory.
func TestMuchOfNothingIsRefused(t *testing.T) {
	store := &limited{memory.NewStorage(), 100}
	object := &plumbing.MemoryObject{}
	object.SetType(plumbing.BlobObject)
	_, _ = object.Write(make([]byte, 60))
	if _, err := store.SetEncodedObject(object); err != nil {
		t.Fatal(err)
	}
	if _, err := store.SetEncodedObject(object); err == nil || !strings.Contains(err.Error(), "unpacked") {
		t.Errorf("SetEncodedObject: %v", err)
	}
}
