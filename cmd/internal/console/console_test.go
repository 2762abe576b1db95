package console_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm-gitops/pm-gitops/cmd/internal/console"
)

// canary is a stranger's text with all that must not come through.
const canary = "a\x1b[31m\rb\u202e\u200b\x9b2J ##[error]\n::error::x\r\nok: forged\n"

// TestSay: nothing that an argument holds steers the terminal, or begins a line of ours.
func TestSay(t *testing.T) {
	for _, tt := range []struct {
		format string
		arg    any
		want   string
	}{
		{"note: %s", "plain", "note: plain\n"},
		{"%s: valid", "::error::file", "| ::error::file: valid\n"},
		{"pm-gitops: %v", errors.New(canary), `pm-gitops: a\x1b[31m\rb\u202e\u200b\x9b2J ## [error]` + "\n  | ::error::x\n  | ok: forged\n"},
		{"%s", "\n", "\n"},
		{"\t%q", "a\n", "\t\"a\\n\"\n"},
	} {
		var out strings.Builder
		console.New(&out).Say(tt.format, tt.arg)
		if got := out.String(); got != tt.want {
			t.Errorf("Say(%q, %q) printed %q, want %q", tt.format, tt.arg, got, tt.want)
		}
	}
}

// TestText: lines that are composed stay lines, whatever else is in them.
func TestText(t *testing.T) {
	var out strings.Builder
	s := console.New(&out)
	paint := s.Painter()
	if err := s.Text(paint("1", "title") + "\n\t" + canary); err != nil {
		t.Fatal(err)
	}
	const want = "\x1b[1mtitle\x1b[0m\n\t" + `a\x1b[31m\rb\u202e\u200b\x9b2J ## [error]` + "\n| ::error::x\nok: forged\n"
	if got := out.String(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// TestRaw: bytes stay as they are.
func TestRaw(t *testing.T) {
	var out strings.Builder
	if err := console.New(&out).Raw([]byte(canary), []byte("\xff")); err != nil || out.String() != canary+"\xff" {
		t.Errorf("printed %q, %v", out.String(), err)
	}
}

// TestRedraw: on a terminal a text takes the place of the one before, whatever was
// longer there, and only the first clears what was on the screen.
func TestRedraw(t *testing.T) {
	for first, want := range map[bool]string{
		true:  "\x1b[2J\x1b[Ha\\x1b[H\x1b[K\nb\x1b[K\n\x1b[J",
		false: "\x1b[Ha\\x1b[H\x1b[K\nb\x1b[K\n\x1b[J",
	} {
		var out strings.Builder
		if err := console.New(&out).Redraw("a\x1b[H\nb\n", first); err != nil || out.String() != want {
			t.Errorf("printed %q, %v, want %q", out.String(), err, want)
		}
	}
}

func TestPass(t *testing.T) {
	var out strings.Builder
	s := console.New(&out)
	s.Pass("1 of 2\n\x1b[A")
	s.Pass("")
	if got, want := out.String(), "\r1 of 2\\n\\x1b[A\r\x1b[K"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// TestBlock: lines take the place of those before, whatever was in them.
func TestBlock(t *testing.T) {
	var out strings.Builder
	s := console.New(&out)
	s.Block(nil)
	s.Block([]string{"a\n\x1b[A", "b"})
	s.Block([]string{"c"})
	s.Block(nil)
	s.Block(nil)
	if got, want := out.String(), "a\\n\\x1b[A\nb\n\x1b[2A\x1b[Jc\n\x1b[1A\x1b[J"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// TestLog: a message of several lines is one.
func TestLog(t *testing.T) {
	var out strings.Builder
	if n, err := console.New(&out).Log().Write([]byte("warning: a\nb\x1b\n")); n != 14 || err != nil || out.String() != "warning: a\n  | b\\x1b\n" {
		t.Errorf("%d, %v: printed %q", n, err, out.String())
	}
}

type full struct{ err error }

func (f *full) Write([]byte) (int, error) { return 0, f.err }

// TestErr: the first failure is kept.
func TestErr(t *testing.T) {
	w := &full{}
	s := console.New(w)
	if s.Say("a"); s.Err() != nil {
		t.Error(s.Err())
	}
	w.err = errors.New("no space")
	s.Say("a")
	w.err = errors.New("another")
	if err := s.Text("b"); err == nil || s.Err() == nil || s.Err().Error() != "write the result: no space" {
		t.Errorf("%v, then %v", s.Err(), err)
	}
	w.err = nil
	if err := s.Raw([]byte("c")); err != nil {
		t.Error(err)
	}
}

// TestIsTerminal: a device counts as a terminal, a file and a buffer do not.
func TestIsTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if console.New(file).IsTerminal() || console.New(&strings.Builder{}).IsTerminal() || !console.New(device).IsTerminal() {
		t.Error("want the device alone to be a terminal")
	}
}

// BenchmarkText is a large report: what it costs besides the bytes being written.
func BenchmarkText(b *testing.B) {
	report := strings.Repeat("      ~ spec.template.spec.containers[name=app].image: registry.company.com/a:1 -> registry.company.com/a:2\n", 100_000)
	for name, print := range map[string]func(*console.Stream) error{
		"Text": func(s *console.Stream) error { return s.Text(report) },
		"Raw":  func(s *console.Stream) error { return s.Raw([]byte(report)) },
	} {
		b.Run(name, func(b *testing.B) {
			file, err := os.Create(filepath.Join(b.TempDir(), "out"))
			if err != nil {
				b.Fatal(err)
			}
			defer file.Close()
			b.SetBytes(int64(len(report)))
			for b.Loop() {
				if _, err := file.Seek(0, 0); err != nil {
					b.Fatal(err)
				}
				if err := print(console.New(file)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
