package cli

// painter colours what a person reads, nil where nothing is to be coloured.
type painter func(code, text string) string

// colour paints for a terminal that can and may show colours
// (https://no-color.org).
func (a app) colour() painter {
	if !a.out.IsTerminal() || a.getenv("NO_COLOR") != "" || a.getenv("TERM") == "dumb" {
		return nil
	}
	return a.out.Painter()
}
