package graph_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pm-gitops/pm-gitops/render"
	"github.com/pm-gitops/pm-gitops/render/graph"
)

// picture is an SVG as a reader without our code sees it.
type picture struct {
	XMLName      xml.Name `xml:"http://www.w3.org/2000/svg svg"`
	Width        int      `xml:"width,attr"`
	Height       int      `xml:"height,attr"`
	ViewBox      string   `xml:"viewBox,attr"`
	Role         string   `xml:"role,attr"`
	LabelledBy   string   `xml:"aria-labelledby,attr"`
	Title        string   `xml:"title"`
	Desc         string   `xml:"desc"`
	Style        string   `xml:"style"`
	Environments []struct {
		Bands []rect `xml:"rect"`
		Texts []text `xml:"text"`
		Boxes []struct {
			Class string `xml:"class,attr"`
			Key   string `xml:"data-key,attr"`
			Rect  rect   `xml:"rect"`
			Texts []text `xml:"text"`
		} `xml:"g"`
		Arrows []struct {
			From string `xml:"data-from,attr"`
			To   string `xml:"data-to,attr"`
			Path string `xml:"d,attr"`
		} `xml:"path"`
	} `xml:"g"`
}

type rect struct {
	X      int `xml:"x,attr"`
	Y      int `xml:"y,attr"`
	Width  int `xml:"width,attr"`
	Height int `xml:"height,attr"`
}

type text struct {
	X    int    `xml:"x,attr"`
	Y    int    `xml:"y,attr"`
	Text string `xml:",chardata"`
}

func (r rect) overlaps(o rect) bool {
	return r.X < o.X+o.Width && o.X < r.X+r.Width && r.Y < o.Y+o.Height && o.Y < r.Y+r.Height
}

// holds reports whether a point is inside, not on the edge.
func (r rect) holds(p point) bool {
	const edge = 0.01
	return p.x > float64(r.X)+edge && p.x < float64(r.X+r.Width)-edge && p.y > float64(r.Y)+edge && p.y < float64(r.Y+r.Height)-edge
}

type point struct{ x, y float64 }

var pathToken = regexp.MustCompile(`[A-Za-z]|-?\d+`)

// points is a path of moves, curves and level lines as many points.
func points(path string) ([]point, error) {
	var all []point
	tokens := pathToken.FindAllString(path, -1)
	next := func() float64 {
		if len(tokens) == 0 {
			return -1e9
		}
		n, err := strconv.Atoi(tokens[0])
		if err != nil {
			return -1e9
		}
		tokens = tokens[1:]
		return float64(n)
	}
	for len(tokens) > 0 {
		command := tokens[0]
		tokens = tokens[1:]
		switch command {
		case "M":
			all = append(all, point{next(), next()})
		case "H":
			from, to := all[len(all)-1], next()
			for i := range 40 {
				all = append(all, point{from.x + (to-from.x)*float64(i+1)/40, from.y})
			}
		case "C":
			a, b, c, d := all[len(all)-1], point{next(), next()}, point{next(), next()}, point{next(), next()}
			for i := range 60 {
				t := float64(i+1) / 60
				u := 1 - t
				all = append(all, point{
					u*u*u*a.x + 3*u*u*t*b.x + 3*u*t*t*c.x + t*t*t*d.x,
					u*u*u*a.y + 3*u*u*t*b.y + 3*u*t*t*c.y + t*t*t*d.y,
				})
			}
		default:
			return nil, fmt.Errorf("unexpected %q in path %q", command, path)
		}
	}
	return all, nil
}

// check finds everything that is wrong with the drawing of a graph.
func check(t *testing.T, g graph.Graph) picture {
	t.Helper()
	data := g.SVG()
	var p picture
	if err := xml.Unmarshal(data, &p); err != nil {
		t.Fatalf("no XML: %v\n%s", err, data)
	}
	wellFormed(t, data)
	if p.ViewBox != fmt.Sprintf("0 0 %d %d", p.Width, p.Height) || p.Role != "img" || p.LabelledBy != "title desc" || p.Title == "" || p.Desc == "" || !strings.Contains(p.Style, "prefers-color-scheme: dark") {
		t.Errorf("the head is %+v", p)
	}
	page := rect{0, 0, p.Width, p.Height}
	var boxes []rect
	for i, env := range p.Environments {
		byKey := map[string]rect{}
		for _, box := range env.Boxes {
			for _, other := range boxes {
				if box.Rect.overlaps(other) {
					t.Errorf("%s at %v overlaps the box at %v", box.Key, box.Rect, other)
				}
			}
			if !inside(box.Rect, page) {
				t.Errorf("%s at %v is not on the page %v", box.Key, box.Rect, page)
			}
			byKey[box.Key], boxes = box.Rect, append(boxes, box.Rect)
			for _, text := range box.Texts {
				if !fits(text, box.Rect) {
					t.Errorf("%q at %d, %d does not fit into %v", text.Text, text.X, text.Y, box.Rect)
				}
			}
		}
		if len(env.Arrows) != len(g.Environments[i].Arrows) {
			t.Errorf("%d arrows, want %d", len(env.Arrows), len(g.Environments[i].Arrows))
		}
		for _, arrow := range env.Arrows {
			checkArrow(t, arrow.From+" -> "+arrow.To, arrow.Path, byKey[arrow.From], byKey[arrow.To], boxes, page)
		}
	}
	return p
}

func wellFormed(t *testing.T, data []byte) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(string(data)))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("no well-formed XML: %v", err)
		}
	}
}

func inside(r, page rect) bool {
	return r.X >= page.X && r.Y >= page.Y && r.X+r.Width <= page.X+page.Width && r.Y+r.Height <= page.Y+page.Height
}

// fits takes a character of 13px for 7.83 wide, as in DejaVu Sans Mono, the
// widest of the fonts that are asked for, and those of East Asia for two.
func fits(s text, r rect) bool {
	wide := 0
	for _, c := range s.Text {
		if c >= 0x1100 {
			wide++
		}
	}
	width := float64(utf8.RuneCountInString(s.Text)+wide) * 7.83
	return s.X >= r.X+8 && float64(s.X)+width <= float64(r.X+r.Width)-8 && s.Y-11 >= r.Y && s.Y+4 <= r.Y+r.Height
}

func checkArrow(t *testing.T, name, path string, from, to rect, boxes []rect, page rect) {
	t.Helper()
	line, err := points(path)
	if err != nil {
		t.Error(err)
		return
	}
	first, last := line[0], line[len(line)-1]
	if first.x != float64(from.X+from.Width) || first.y <= float64(from.Y) || first.y >= float64(from.Y+from.Height) {
		t.Errorf("%s begins at %v, want the right side of %v", name, first, from)
	}
	if last.x != float64(to.X) || last.y <= float64(to.Y) || last.y >= float64(to.Y+to.Height) {
		t.Errorf("%s ends at %v, want the left side of %v", name, last, to)
	}
	for i, p := range line {
		for _, box := range boxes {
			if box.holds(p) {
				t.Errorf("%s runs through the box at %v", name, box)
				return
			}
		}
		if i > 0 && p.x < line[i-1].x || p.x < 0 || p.y < 0 || p.x > float64(page.Width) || p.y > float64(page.Height) {
			t.Errorf("%s goes back or off the page at %v", name, p)
			return
		}
	}
}

func TestSVGIsRight(t *testing.T) {
	for name, g := range drawings(t) {
		t.Run(name, func(t *testing.T) {
			p := check(t, g)
			for i, env := range g.Environments {
				boxes := map[string]string{}
				for _, box := range p.Environments[i].Boxes {
					boxes[box.Key] = box.Class
				}
				if len(p.Environments[i].Bands) != len(env.Waves)+1 {
					t.Errorf("%d columns, want %d", len(p.Environments[i].Bands), len(env.Waves)+1)
				}
				for _, wave := range env.Waves {
					for _, release := range wave.Releases {
						if want := map[bool]string{true: "release protected", false: "release"}[release.Protected]; boxes[release.Key] != want {
							t.Errorf("the box of %s is %q, want %q", release.Key, boxes[release.Key], want)
						}
					}
				}
				if boxes[render.Prereqs] != "prerequisites" {
					t.Errorf("the prerequisites' box is %q", boxes[render.Prereqs])
				}
			}
		})
	}
}

// TestSVGHasColumns: every box of a wave is in the wave's column, and columns
// go from left to right.
func TestSVGHasColumns(t *testing.T) {
	g := drawings(t)["twenty"]
	p := check(t, g)
	x := map[string]int{}
	for _, box := range p.Environments[0].Boxes {
		x[box.Key] = box.Rect.X
	}
	before := x[render.Prereqs]
	for i, wave := range g.Environments[0].Waves {
		at := x[wave.Releases[0].Key]
		if at <= before {
			t.Errorf("wave %d is at %d, the one before at %d", i+1, at, before)
		}
		for _, release := range wave.Releases {
			if x[release.Key] != at {
				t.Errorf("%s is at %d, its wave at %d", release.Key, x[release.Key], at)
			}
		}
		before = at
	}
}
