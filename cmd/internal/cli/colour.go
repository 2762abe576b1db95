package cli

import (
	"io"
	"os"
)

// painter colours what a person reads; the zero value leaves it as it is.
type painter struct{ on bool }

// colour paints for a terminal that can and may show colours
// (https://no-color.org).
func (a app) colour() painter {
	return painter{isTerminal(a.out) && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"}
}

// isTerminal reports whether what is written appears on a terminal.
func isTerminal(w io.Writer) bool {
	if out, ok := w.(*output); ok {
		w = out.w
	}
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p painter) paint(code, text string) string {
	if !p.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
