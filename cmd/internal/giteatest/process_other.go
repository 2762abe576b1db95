//go:build !linux

package giteatest

import "os/exec"

// startBound starts a process; ended is closed when it has ended.
func startBound(cmd *exec.Cmd, ended chan struct{}) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}
