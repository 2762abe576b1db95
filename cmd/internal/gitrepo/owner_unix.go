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

// trusted refuses a repository that belongs to somebody else, as git does: its
// configuration may name programs. safe.directory allows it, where it is set
// outside of any repository.
func (l *Local) trusted() error {
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
		if !ok || slices.Contains(owners, int(stat.Uid)) || l.safe() {
			continue
		}
		return fmt.Errorf("the repository %s belongs to somebody else, and its configuration may name programs: git config --global --add safe.directory %s allows it", l.workTree, l.workTree)
	}
	return nil
}

func (l *Local) safe() bool {
	outside, err := settings.ReadConfig(l.sys, settings.FindGit(l.sys, ""), "")
	if err != nil {
		return false
	}
	safe := false
	for _, dir := range outside["safe.directory"] {
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
