package text_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// TestConflictsAsGitWritesThem: git merges, and each side is what was committed.
func TestConflictsAsGitWritesThem(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git program")
	}
	const ours, theirs = "a\nb: 1\nc\nd\ne\nf\ng\nh: 1\n", "a\nb: 2\nc\nd\ne\nf\ng\nh: 2\n"
	for _, style := range []string{"merge", "diff3", "zdiff3"} {
		dir := t.TempDir()
		for name, content := range map[string]string{"ours": ours, "base": "a\nb: 0\nc\nd\ne\nf\ng\nh: 0\n", "theirs": theirs} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		merge := exec.Command(git, "-c", "merge.conflictStyle="+style, "merge-file", "-p", "ours", "base", "theirs")
		merge.Dir = dir
		merged, _ := merge.Output() // the exit code is the number of conflicts
		if merge.ProcessState.ExitCode() != 2 {
			t.Fatalf("%s: git merge-file: exit code %d: %s", style, merge.ProcessState.ExitCode(), merged)
		}
		line, sentence := text.LeftByGit(merged)
		if line != 2 || sentence == "" {
			t.Errorf("%s: LeftByGit = %d, %q in\n%s", style, line, sentence, merged)
		}
		if a, b := text.Sides(merged); string(a) != ours || string(b) != theirs {
			t.Errorf("%s: Sides = %q, %q", style, a, b)
		}
	}
}

func TestLeftByGit(t *testing.T) {
	for content, want := range map[string]int{
		"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3\n": 1,
		"a: 1\n<<<<<<< HEAD\r\nb: 1\r\n=======\r\nb: 2\r\n>>>>>>> other\r\n":    2,
		"<<<<<<<\n=======\n>>>>>>>":                                    1,
		"a: |\n  <<<<<<< HEAD\n  b\n  =======\n  c\n  >>>>>>> other\n": 0,
		"heading\n=======\n":                                           0,
		"<<<<<<< HEAD\nno end\n":                                       0,
		"url: version https://git-lfs.github.com/spec/v1\n":            0,
	} {
		if line, _ := text.LeftByGit([]byte(content)); line != want {
			t.Errorf("LeftByGit(%q) = %d, want %d", content, line, want)
		}
	}
}
