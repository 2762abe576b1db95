package text

import (
	"bytes"
	"regexp"
)

// pointer begins what Git LFS commits in place of a file.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
var pointer = []byte("version https://git-lfs.github.com/spec/v1")

// conflict is a merge conflict as git writes it, with or without the third side.
var conflict = regexp.MustCompile(`(?ms)^<<<<<<<(?: [^\n]*)?\n(.*?)(?:^\|\|\|\|\|\|\|[^\n]*\n.*?)?^=======\r?\n(.*?)^>>>>>>>(?: [^\n]*)?$\n?`)

// LeftByGit tells what stands in a file in place of its content, and in which line:
// a merge conflict or a Git LFS pointer, with what to do. It is empty for others.
func LeftByGit(content []byte) (line int, sentence string) {
	if bytes.HasPrefix(content, pointer) {
		return 1, "this is a Git LFS pointer, not the file: git lfs pull fetches it; better keep the file out of LFS (.gitattributes)"
	}
	if at := conflict.FindIndex(content); at != nil {
		return 1 + bytes.Count(content[:at[0]], []byte("\n")), "a merge conflict begins here (<<<<<<<): choose a side, or join both, and delete the lines with the markers"
	}
	return 0, ""
}

// Sides gives a file with conflicts as each side of the merge has it.
func Sides(content []byte) (ours, theirs []byte) {
	return conflict.ReplaceAll(content, []byte("$1")), conflict.ReplaceAll(content, []byte("$2"))
}
