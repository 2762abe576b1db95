package giteatest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startBound starts a process that ends with us, also where a test's time is up
// and no cleanup runs; ended is closed when it has ended. The kernel watches the
// thread that started it, so that one is kept.
func startBound(cmd *exec.Cmd, ended chan struct{}) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(ended)
		}
	}()
	return <-started
}
