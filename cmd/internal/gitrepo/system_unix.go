//go:build unix

package gitrepo

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/pm-gitops/pm-gitops/cmd/internal/gitrepo/internal/settings"
)

// holdFile takes the operating system's lock on an open file, or fails at once.
// It ends with the process, however that ends.
func holdFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// syncDir makes sure that a renamed file has its name after a power cut.
func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	_ = file.Sync() // some file systems cannot
	return nil
}

// refuseForeign refuses a repository that belongs to another user, as git does: its
// configuration may name programs. safe.directory allows it, where it is set
// outside of any repository.
func (l *Local) refuseForeign() error {
	owners := []int{os.Geteuid()}
	if os.Geteuid() == 0 {
		if sudo, err := strconv.Atoi(l.sys.Getenv("SUDO_UID")); err == nil {
			owners = append(owners, sudo)
		}
	}
	for _, dir := range []string{l.workTree, l.gitDir} {
		info, err := os.Lstat(dir)
		if err != nil {
			return fmt.Errorf("open the repository %s: %w", l.workTree, settings.Reason(err))
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || slices.Contains(owners, int(stat.Uid)) || l.isSafe() {
			continue
		}
		return fmt.Errorf("the repository %s belongs to somebody else, and its configuration may name programs: git config --global --add safe.directory %s allows it", l.workTree, l.workTree)
	}
	return nil
}

func (l *Local) isSafe() bool {
	outside, err := settings.ReadConfig(l.sys, settings.FindGit(l.sys, ""), "")
	if err != nil {
		return false
	}
	safe := false
	for _, dir := range outside.All("safe.directory") {
		above, wild := strings.CutSuffix(dir, "/*")
		switch {
		case dir == "":
			safe = false
		case dir == "*", dir == l.workTree, wild && strings.HasPrefix(l.workTree, above+"/"):
			safe = true
		}
	}
	return safe
}
