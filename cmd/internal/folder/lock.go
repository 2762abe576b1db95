package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// patience bounds how long a write waits for another one to be done.
const patience = 30 * time.Second

// ErrBusy is the error of a folder that another pm-gitops has been writing into for
// half a minute.
var ErrBusy = errors.New("another pm-gitops is writing into this folder: wait until it is done, then run again")

// locked calls do while no other process writes into the folder: what is found out
// there stays true until it is written. The lock is the operating system's, on the
// folder itself, and ends with the process; where there is none, as on Windows, the
// checks before each rename are all. [ErrBusy] comes once patience is over, and the
// error of the context once that ends.
func locked(ctx context.Context, root *os.Root, patience time.Duration, do func() error) error {
	dir, err := root.Open(".")
	if err != nil {
		return fmt.Errorf("lock the folder: %w", reason(err))
	}
	defer dir.Close()
	for waited := time.Duration(0); ; waited += pause {
		switch held, err := holdFolder(dir); {
		case err != nil:
			return fmt.Errorf("lock the folder: %w", err)
		case held:
			return do()
		case waited >= patience:
			return ErrBusy
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another pm-gitops in this folder: %w", ctx.Err())
		case <-time.After(pause):
		}
	}
}

const pause = 20 * time.Millisecond
