package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// manyChanges is what others did where a run is killed: enough that writing it
// takes a while, of all kinds.
func manyChanges(w *world) {
	for i := range 60 {
		w.write(fmt.Sprintf("others/many/%d/file", i), fmt.Sprintf("theirs %d\n", i))
		if i%3 == 0 {
			w.write(fmt.Sprintf("others/base/%d", i), strings.Repeat("theirs\n", 100))
		} else if i%3 == 1 {
			_ = os.Remove(filepath.Join(w.home, fmt.Sprintf("others/base/%d", i)))
		}
	}
	all(removes("others", "swap"), writes("others", "swap/x", "x\n"), removes("others", "folder"), writes("others", "folder", "file\n"), removes("others", "ln"), links("others", "folder", "ln"))(w)
}

// Wherever a run dies, each file is the old or the new one in whole, what the
// user has is as it was, the repository is whole, and Resume finishes the job.
func TestKilledCatchUpsAreFinishedByTheNext(t *testing.T) {
	for name, runs := range map[string]int{"fetching": 8, "writing": 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := starts(t)(t)
			for i := range 60 {
				w.write(fmt.Sprintf("others/base/%d", i), strings.Repeat("base\n", 100))
			}
			w.pushed(all(writes("others", "swap", "x\n"), writes("others", "folder/deep/x", "x\n"), links("others", "x", "ln")))
			w.git("r", "pull", "-q")
			undo := w.raced(manyChanges)
			if name == "writing" { // it was killed before, right after it had noted what is to be done
				w.git("r", "fetch", "-q")
				w.write("r/.git/pm-gitops-catch-up", fmt.Sprintf("%s %s refs/heads/main\n", undo, strings.TrimSpace(w.git("r", "rev-parse", "origin/main"))))
			}
			all(writes("r", "lib/b", "mine\n"), writes("r", "fresh", "x\n"), run("add", "fresh"), run("status"))(w)
			w.surviveCatchUp(undo, runs)
		})
	}
}

// surviveCatchUp kills runs at points that chance chooses, from a fixed seed.
func (w *world) surviveCatchUp(undo string, runs int) {
	w.t.Helper()
	restore := w.copies()
	e := errand{Dir: filepath.Join(w.home, "r"), Undo: undo}
	before := w.state("r")
	whole, _ := w.catchUpIn(e)
	after := w.state("r")
	random := rand.New(rand.NewPCG(9, uint64(runs)))
	died, half := 0, 0
	for n := range runs {
		restore()
		e.NoFiles, e.Die = false, 1+time.Duration(random.Float64()*float64(whole))
		if _, killed := w.catchUpIn(e); killed {
			died++
		}
		half += w.oldOrNew(before, after)
		if n%10 == 0 {
			w.sound("r")
		}
		_, err := os.Stat(filepath.Join(w.home, "r/.git/pm-gitops-catch-up"))
		if e.NoFiles, e.Die = err == nil, 0; e.NoFiles || w.git("r", "rev-parse", "HEAD") == undo+"\n" { // Resume alone does it, or nothing is done
			took, _ := w.catchUpIn(e)
			whole = min(whole, 4*took) // the machine is not always as fast
		}
		if diff := cmp.Diff(after, w.state("r")); diff != "" {
			w.t.Fatalf("run %d, finished (- undisturbed, + killed and run again):\n%s", n, diff)
		}
	}
	w.sound("r")
	w.t.Logf("%d of %d runs were killed, %d with a part of the files written", died, runs, half)
	if died < runs/4 {
		w.t.Errorf("only %d of %d runs were killed: the test says little", died, runs)
	}
}

// No file may be large here: writing ends half-way, always at the same point.
func TestHalfOfACatchUpIsNoted(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(all(writes("others", "aa", "x\n"), writes("others", "large", strings.Repeat("x", 1<<20)), writes("others", "zz", "x\n"), removes("others", "lib/a")))
	e := errand{Dir: filepath.Join(w.home, "r"), Undo: undo}
	limited := w.process(e)
	limited.Args = []string{"sh", "-c", `ulimit -f 200 && exec "$0"`, limited.Path}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to limit the size of files")
	}
	limited.Path = sh
	if err := limited.Run(); err == nil {
		t.Fatal("the limit did not limit")
	}
	if got := w.git("r", "status", "--porcelain", "-uno") + w.read("r/aa") + w.git("r", "rev-parse", "HEAD"); got != " D lib/a\n D ours/deep/er.yaml\n D ours/new.yaml\nx\n"+undo+"\n" {
		t.Errorf("half of it is %s", got)
	}
	w.sound("r")
	e.NoFiles = true
	w.catchUpIn(e)
	if got, want := w.git("r", "status", "--porcelain")+w.git("r", "rev-parse", "HEAD"), w.git("origin", "rev-parse", "main"); got != want {
		t.Errorf("finished, it is %s, want %s", got, want)
	}
}

// copies keeps r as it is, and gives what brings that back.
func (w *world) copies() func() {
	w.t.Helper()
	w.copy("r", "saved")
	return func() {
		removes(".", "r")(w)
		w.copy("saved", "r")
	}
}

// catchUpIn runs an errand, and gives how long it took, or that it was killed.
func (w *world) catchUpIn(e errand) (took time.Duration, killed bool) {
	w.t.Helper()
	cmd := w.process(e)
	err := cmd.Run()
	if e.Die > 0 && err != nil && cmd.ProcessState.ExitCode() < 0 {
		return 0, true
	}
	if _, scanErr := fmt.Sscan(fmt.Sprint(cmd.Stderr), &took); err != nil || scanErr != nil {
		w.t.Fatalf("%v: %s", err, cmd.Stderr)
	}
	return took, false
}

// oldOrNew fails if a file is neither what it was nor what it is to be; some may
// be gone that are in the way of others. It gives 1 if there are both.
func (w *world) oldOrNew(before, after map[string]string) int {
	w.t.Helper()
	now, changed, left := w.onDisk("r"), 0, 0
	for name, text := range now {
		switch {
		case text != before[name] && text != after[name]:
			if !strings.Contains(name, halfFiles) && text[0] != 'd' {
				w.t.Errorf("%s is neither the old nor the new one: %.100q", name, text)
			}
		case text != before[name]:
			changed++
		case text != after[name]:
			left++
		}
	}
	for name, text := range before {
		if now[name] == "" && !strings.HasPrefix(name, "git ") && text == after[name] {
			w.t.Errorf("%s is gone", name)
		}
	}
	if changed > 0 && left > 0 {
		return 1
	}
	return 0
}

// A part is done, in an order that is not ours: whatever is done, it can be
// finished.
func TestResumeFinishesWhateverIsDone(t *testing.T) {
	start := starts(t)
	for seed := range 8 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.pushed(all(writes("others", "swap", "x\n"), writes("others", "folder/deep/x", "x\n"), links("others", "x", "ln"), executable("others", "run.sh")))
			w.git("r", "pull", "-q")
			undo := w.raced(all(removes("others", "swap"), writes("others", "swap/x", "x\n"), removes("others", "folder"), writes("others", "folder", "file\n"), removes("others", "ln"), links("others", "folder", "ln"), writes("others", "lib/a", "a: 2\n"), removes("others", "lib/b"), writes("others", "fresh", "x\n")))
			w.git("r", "fetch", "-q", "../origin", "main:refs/remotes/origin/main")
			l := w.open("r")
			c := w.partly(l, rand.New(rand.NewPCG(11, uint64(seed))))
			w.write("r/.git/pm-gitops-catch-up", fmt.Sprintf("%s %s refs/heads/main\n", undo, c))
			w.write("r/"+halfFiles+"0123456789abcdef.tmp", "half")
			done, err := l.Resume(context.Background())
			if err != nil || done.Hash != c {
				t.Fatalf("Resume = %+v, %v", done, err)
			}
			if got := w.git("r", "status", "--porcelain") + w.git("r", "rev-parse", "HEAD"); got != c+"\n" {
				t.Errorf("it is at %s", got)
			}
			if _, err := l.Resume(context.Background()); !errors.Is(err, ErrUnchanged) {
				t.Errorf("Resume again = %v", err)
			}
		})
	}
}

// partly does a part of what is to be done, and gives what it leads to.
func (w *world) partly(l *Local, chance *rand.Rand) string {
	w.t.Helper()
	head, err := l.head()
	if err != nil {
		w.t.Fatal(err)
	}
	tip, err := l.resolve("refs/remotes/origin/main")
	if err != nil {
		w.t.Fatal(err)
	}
	storage := l.storage()
	defer storage.Close()
	c, err := l.newCheckout(storage, head.hash, tip.hash)
	if err != nil || c.refused() != nil {
		w.t.Fatal(err, c.refused())
	}
	defer c.close()
	for i := len(c.removes) - 1; i >= 0 && chance.IntN(4) > 0; i-- {
		if err := c.removeFile(c.removes[i]); err != nil {
			w.t.Fatal(err)
		}
	}
	news := slices.Clone(c.staging().news)
	for i := range news {
		info, barred, err := c.look(news[i].name)
		if barred != "" || err != nil || info != nil && info.IsDir() || chance.IntN(2) == 0 {
			continue
		}
		if err := c.place(&news[i]); err != nil {
			w.t.Fatal(err)
		}
	}
	return tip.hash.String()
}

// A note of what is long over is forgotten.
func TestResumeForgetsWhatIsOver(t *testing.T) {
	w := starts(t)(t)
	head := strings.TrimSpace(w.git("r", "rev-parse", "HEAD"))
	other := strings.Repeat("1", 40)
	for _, note := range []string{"", "nonsense", other + " " + head + " refs/heads/main", head + " " + other + " refs/heads/other", head + " x refs/heads/main"} {
		w.write("r/.git/pm-gitops-catch-up", note)
		if _, err := w.open("r").Resume(context.Background()); !errors.Is(err, ErrUnchanged) {
			t.Errorf("Resume of %q = %v, want ErrUnchanged", note, err)
		}
		if _, err := os.Stat(filepath.Join(w.home, "r/.git/pm-gitops-catch-up")); err == nil {
			t.Errorf("the note %q is still there", note)
		}
	}
}

// What the user does after a run was killed is the user's.
func TestResumeRefusesWhatTheUserDidSince(t *testing.T) {
	w := starts(t)(t)
	undo := w.raced(all(writes("others", "lib/a", "theirs\n"), writes("others", "lib/b", "theirs\n")))
	w.git("r", "fetch", "-q", "../origin", "main:refs/remotes/origin/main")
	w.write("r/.git/pm-gitops-catch-up", fmt.Sprintf("%s %s refs/heads/main\n", undo, strings.TrimSpace(w.git("r", "rev-parse", "origin/main"))))
	w.write("r/lib/a", "theirs\n")
	w.write("r/lib/b", "mine\n")
	before := w.onDisk("r")
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.open("r").Resume(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Resume = %v, want that it is cancelled", err)
	}
	var said *CatchUpError
	if _, err := w.open("r").CatchUp(context.Background(), undo, PushOptions{}); !errors.As(err, &said) || !slices.Equal(said.Paths(), []string{"lib/b"}) {
		t.Errorf("CatchUp = %v, want lib/b in the way", err)
	}
	if diff := cmp.Diff(before, w.onDisk("r")); diff != "" {
		t.Errorf("something changed:\n%s", diff)
	}
	w.git("r", "checkout", "-q", "lib/b")
	if _, err := w.open("r").CatchUp(context.Background(), undo, PushOptions{}); err != nil {
		t.Errorf("CatchUp = %v", err)
	}
	if got := w.git("r", "status", "--porcelain"); got != "" {
		t.Errorf("status = %s", got)
	}
}
