// Package console is the one way to standard output and standard error. What is printed
// holds strangers' texts: names from files, messages of servers, charts and clusters. So
// a [Stream] is no [io.Writer], and only this package reaches the writer below it.
package console

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/pm-gitops/pm-gitops/render/text"
)

// Stream prints on standard output or standard error. It remembers the first failure, so
// that a command need not look after each line. Any number of goroutines may print.
type Stream struct {
	mu     sync.Mutex
	w      io.Writer
	mark   string // of colours, where there are some
	block  int    // lines of the block that is shown
	failed error
}

// New gives a stream that prints to w.
func New(w io.Writer) *Stream { return &Stream{w: w} }

// more begins each line but the first of a message: none of them is a line of ours, nor
// a command to a runner of pipelines.
const more = "\n  | "

// Say prints a line, formatted as by [fmt.Sprintf]. The format is ours, and the arguments
// may be a stranger's: control characters and what a reader would not see are written out,
// and where an argument has several lines, a bar is before each but the first.
func (s *Stream) Say(format string, args ...any) {
	line := strings.TrimRight(fmt.Sprintf(format, args...), "\r\n")
	_ = s.print(s.visible(strings.ReplaceAll(line, "\n", more)) + "\n")
}

// Text prints lines that are composed already: a report, a table or help. It writes out
// the same characters as Say. That a stranger's line does not look like one of ours is up to
// what composes them.
func (s *Stream) Text(lines string) error { return s.print(s.visible(lines)) }

// Raw prints bytes as they are. It is for what a program or a file gets, where every byte
// counts: manifests, documents of charts, JSON and the formats for code scanning and pull
// requests, scripts, drawings. A person who prints manifests on a terminal gets their bytes
// too, as from kubectl get -o yaml and helm template. TestOneSink lists the callers.
func (s *Stream) Raw(data ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range data {
		if err := s.did(s.w.Write(part)); err != nil {
			return err
		}
	}
	return nil
}

// visible prepares lines. Those that end as on Windows end as ours.
func (s *Stream) visible(lines string) string {
	lines = text.VisibleLines(strings.ReplaceAll(lines, "\r\n", "\n"))
	if s.mark != "" {
		lines = strings.ReplaceAll(lines, s.mark, "\x1b[")
	}
	return lines
}

func (s *Stream) print(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.did(io.WriteString(s.w, text))
}

// did notes whether something was printed.
func (s *Stream) did(_ int, err error) error {
	if err != nil {
		err = fmt.Errorf("write the result: %w", err)
	}
	if s.failed == nil {
		s.failed = err
	}
	return err
}

// Err returns the first failure to print, nil if all was printed.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// IsTerminal reports whether what is printed appears on a terminal.
func (s *Stream) IsTerminal() bool { return IsTerminal(s.w) }

// IsTerminal reports whether a reader or a writer is a terminal, or another device.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Painter gives what colours a part of a text that Text prints then, by the number of the
// colour (https://en.wikipedia.org/wiki/ANSI_escape_code#SGR). It puts a mark where the escape
// code goes, which no stranger can guess: codes in the rest of the text are none.
func (s *Stream) Painter() func(code, text string) string {
	if s.mark == "" {
		s.mark = rand.Text()
	}
	return func(code, text string) string { return s.mark + code + "m" + text + s.mark + "0m" }
}

// Redraw makes a text take the place of the one before it on a terminal; the first clears
// what was there.
func (s *Stream) Redraw(lines string, first bool) error {
	home := "\x1b[H"
	if first {
		home = "\x1b[2J" + home
	}
	return s.print(home + strings.ReplaceAll(s.visible(lines), "\n", "\x1b[K\n") + "\x1b[J")
}

// Pass shows a line on a terminal that the next line takes the place of; an empty one
// takes it away.
func (s *Stream) Pass(line string) {
	if line == "" {
		line = "\x1b[K"
	} else {
		line = text.Visible(line)
	}
	_ = s.print("\r" + line)
}

// Block shows lines on a terminal that the next block takes the place of; an empty one
// takes them away. Until then nothing else may be printed on the terminal.
func (s *Stream) Block(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var drawn strings.Builder
	if s.block > 0 {
		fmt.Fprintf(&drawn, "\x1b[%dA\x1b[J", s.block)
	}
	for _, line := range lines {
		drawn.WriteString(text.Visible(line) + "\n")
	}
	if s.block = len(lines); drawn.Len() > 0 {
		_ = s.did(io.WriteString(s.w, drawn.String()))
	}
}

// Log gives a writer for package log and its like, which print each message in one write.
func (s *Stream) Log() io.Writer { return messages{s} }

type messages struct{ stream *Stream }

// Write prints a message as Say does.
func (m messages) Write(message []byte) (int, error) {
	m.stream.Say("%s", message)
	return len(message), m.stream.Err()
}
