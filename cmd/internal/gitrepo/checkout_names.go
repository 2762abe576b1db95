package gitrepo

import (
	"io/fs"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// checkoutName says why a path of a commit is not checked out, or nothing: as
// git does, nothing is written into a .git, however a file system of another
// machine would spell that, and no .gitmodules is a symbolic link. (verify_path
// in read-cache.c; core.protectHFS and core.protectNTFS are always on here.)
// Git takes names with line breaks and backslashes; here they are refused.
func checkoutName(full string, mode filemode.FileMode) string {
	const most = 4096 // PATH_MAX
	if !fs.ValidPath(full) || full == "." || len(full) > most {
		return "it is no path inside the working tree"
	}
	if strings.ContainsAny(full, "\\\x00\n") {
		return "its name has a backslash, a line break or a zero byte"
	}
	name := full[strings.LastIndexByte(full, '/')+1:]
	plain := plainName(name)
	if plain == ".git" || plain == "git~1" {
		return "Git keeps no files in folders called " + name
	}
	short := strings.HasPrefix(plain, "gitmod~") || strings.HasPrefix(plain, "gi7eba~")
	if mode == filemode.Symlink && (plain == ".gitmodules" || short) {
		return "it is a symbolic link, which .gitmodules may not be"
	}
	return ""
}

// plainName is what file systems of Windows and macOS make of a name.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if ignoredByHFS(r) {
			return -1
		}
		return r
	}, name)
	name, _, _ = strings.Cut(name, ":") // a stream of NTFS
	return strings.ToLower(strings.TrimRight(name, " ."))
}

// ignoredByHFS is the characters that HFS+ does not see in a name (next_hfs_char
// in utf8.c of git).
func ignoredByHFS(r rune) bool {
	return r >= 0x200c && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x206a && r <= 0x206f || r == 0xfeff
}
